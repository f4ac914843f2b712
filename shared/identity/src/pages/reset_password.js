on("#choose", async (input) => {
  const failure = await call("auth.resetPassword", { token, ...input });
  if (failure === "") show("done");
  if (failure === "notValid") show("ask");
});
on("#ask", async (input) => (await call("auth.requestReset", input)) === "" && show("asked"));
show(token === "" ? "ask" : "choose");
