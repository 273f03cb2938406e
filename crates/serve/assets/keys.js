// Keys for moving about; every page reads and works without this file.
"use strict";
(() => {
  const places = { i: "/incidents", v: "/investigations", p: "/patterns", t: "/taxonomy", m: "/method" };
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let leading = false;

  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("at"));
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    all.forEach((row) => row.classList.toggle("at", row === next));
    const link = next.querySelector("h2 a, h3 a");
    if (link) link.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "Escape" && typing) return typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (leading) {
      leading = false;
      if (Object.hasOwn(places, event.key)) location.href = places[event.key];
      return;
    }
    const search = document.querySelector("input[type=search]");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "o") document.querySelector("[data-row].at :is(h2, h3) a")?.click();
    else if (event.key === "g") leading = true;
    else if (event.key === "?") document.querySelector("footer")?.scrollIntoView();
  });

  // What is folded belongs on paper too.
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
})();
