on("#choose", async (input) => {
  const failure = await call("auth.reset_password", { token, ...input });
  if (failure === "") show("done");
  if (failure === "notValid") show("ask");
});
on("#ask", async (input) => (await call("auth.request_reset", input)) === "" && show("asked"));
show(token === "" ? "ask" : "choose");
