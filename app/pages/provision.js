"use strict";
(() => {
  const main = document.querySelector("main");
  if (main.querySelector("[data-over]")) return;
  const source = new EventSource(location.pathname + "/events");
  let busy = false, again = false;
  const show = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const status = document.getElementById("status"), news = fresh.getElementById("status");
      const told = status.textContent !== news.textContent;
      const before = document.getElementById("shown"), after = fresh.getElementById("shown");
      const open = [...before.querySelectorAll("details")].map((one) => one.open);
      before.replaceWith(document.adoptNode(after));
      after.querySelectorAll("details").forEach((one, place) => { one.open = open[place] ?? false; });
      document.title = fresh.title;
      if (told) status.textContent = news.textContent;
      if (after.querySelector("[data-over]")) source.close();
    } finally {
      busy = false;
      if (again) { again = false; show(); }
    }
  };
  source.addEventListener("provision", show);
})();
