const prove = async (input) => {
  const failure = await call("auth.verify_email", { token, ...input });
  if (failure === "") return show("done");
  if (failure === "notValid") return show("ask");
  if (failure !== "passwordNeeded") return;
  if (part("#prove").hidden) said.textContent = "";
  show("prove");
};
part("#other").href = "/reset-password" + location.hash;
on("#prove", prove);
on("#ask", async (input) => (await call("auth.resend_verification", input)) === "" && show("asked"));
if (token === "") show("ask");
else void prove({});
