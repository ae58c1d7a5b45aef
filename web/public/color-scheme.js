// Sets light or dark before the first paint; the app keeps the choice under the same name.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("loopwright-color-scheme") || "auto";
  } catch {
    // Storage may be forbidden: then the system's choice holds.
  }
  const dark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
