"use strict";
(() => {
  const root = document.documentElement;

  // Themes: what the system says, until the button is pressed.
  const theme = document.getElementById("theme");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; theme.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`); };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  theme.hidden = false;
  label();

  // Routes: sorted by a click on a column's name, filtered as one types.
  const table = document.getElementById("route-table"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    if (!cell || cell.colSpan > 1) return null;
    return cell.dataset.value === undefined ? cell.textContent.trim().toLowerCase() : Number(cell.dataset.value);
  };
  const sort = (index) => {
    const head = heads[index], numeric = index > 0 && body.rows[0]?.cells[index]?.dataset.value !== undefined;
    const now = head.getAttribute("aria-sort");
    const descending = now ? now === "ascending" : numeric;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [valueOf(row, index), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1);
    });
    body.append(...rows.map(([, row]) => row));
  };
  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(index));
  });
  const filter = document.getElementById("filter"), found = document.getElementById("found");
  filter.closest("p").hidden = false;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of body.rows) {
      const text = `${row.cells[0].textContent} ${row.querySelector(".badge")?.textContent ?? ""}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    found.textContent = words.length ? `${shown} of ${body.rows.length} routes` : "";
  });

  // Charts: the numbers under the pointer, from the table below the chart.
  const tip = document.getElementById("tip");
  for (const chart of document.querySelectorAll(".chart")) {
    const area = chart.querySelector(".area"), numbers = chart.querySelector(".numbers");
    const names = [...numbers.tHead.rows[0].cells].map((cell) => cell.textContent);
    const rows = [...numbers.tBodies[0].rows], places = rows.map((row) => Number(row.dataset.place));
    const cross = document.createElement("div");
    cross.className = "cross";
    area.addEventListener("pointermove", (event) => {
      if (!rows.length) return;
      const box = area.getBoundingClientRect(), at = 100 * (event.clientX - box.left) / box.width;
      let best = 0;
      places.forEach((place, index) => { if (Math.abs(place - at) < Math.abs(places[best] - at)) best = index; });
      cross.style.left = `${places[best]}%`;
      area.append(cross);
      tip.textContent = [...rows[best].cells].map((cell, index) => `${names[index]}: ${cell.textContent}`).join("\n");
      tip.hidden = false;
      const left = event.pageX + 14 + tip.offsetWidth > root.scrollWidth ? event.pageX - 14 - tip.offsetWidth : event.pageX + 14;
      tip.style.left = `${left}px`;
      tip.style.top = `${event.pageY + 14}px`;
    });
    area.addEventListener("pointerleave", () => { cross.remove(); tip.hidden = true; });
  }
})();
