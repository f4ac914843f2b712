const prove = async (input) => {
  const failure = await call("auth.verifyEmail", { token, ...input });
  if (failure === "") return show("done");
  if (failure === "notValid") return show("ask");
  if (failure !== "passwordNeeded") return;
  if (part("#prove").hidden) said.textContent = "";
  show("prove");
};
part("#other").href = "/reset-password" + location.hash;
on("#prove", prove);
on("#ask", async (input) => (await call("auth.resendVerification", input)) === "" && show("asked"));
if (token === "") show("ask");
else void prove({});
