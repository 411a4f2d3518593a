// Confusion matrix

const MAX_WIDE = 15;  // classes of a matrix that leaves space for images beside it

function drawConfusion() {
  const counts = run.confusion.confusion, table = element("confusion");
  const largest = Math.max(...counts.flat());
  const hasNone = counts.some((row) => row[row.length - 1] > 0);
  const columns = [...run.classes.keys(), ...(hasNone ? [run.classes.length] : [])];
  const tiles =
      new Map(run.images.cells.map(([label, found, cell]) => [`${label} ${found}`, cell]));
  let chosen = null;

  function show(button, label, found, count) {
    const some = tiles.get(`${label} ${found === run.classes.length ? -1 : found}`);
    say("cell-text",
        `Label ${nameOf(label)}, taken for ${nameOf(found)}: ` +
            `${count} image${count === 1 ? "" : "s"}${
                some.length < count ? `, ${some.length} of them are shown` : ""}.`);
    element("cell-images").replaceChildren();
    for (const k of some) addTile(element("cell-images"), k, 56);
  }

  const head = make(make(table, "thead"), "tr");
  make(head, "th", "label");
  // Its own name is too wide for a small screen.
  for (const k of columns)
    make(head, "th", k === run.classes.length ? "?" : nameOf(k), {scope: "col"});
  make(head, "th", "right", {scope: "col"});
  table.classList.toggle("long", !isShort);
  table.classList.toggle("many", run.classes.length > MAX_WIDE);
  document.querySelector(".pair.late").classList.toggle("alone", run.classes.length > MAX_WIDE);
  const body = make(table, "tbody");
  let first = null;
  counts.forEach((row, label) => {
    const line = make(body, "tr");
    make(line, "th", nameOf(label), {scope: "row"});
    for (const found of columns) {
      const count = row[found], isRight = label === found;
      const button =
          make(make(line, "td"), "button", count || "·", {type: "button", disabled: count === 0});
      button.setAttribute(
          "aria-label", `label ${nameOf(label)}, taken for ${nameOf(found)}: ${count}`);
      const shade = count ? 0.12 + 0.6 * Math.log1p(count) / Math.log1p(largest) : 0;
      button.style.background = isRight ? `rgb(0 114 178 / ${shade})` : `rgb(213 94 0 / ${shade})`;
      if (count === 0) continue;
      for (const name of ["mouseenter", "focus"]) {
        button.addEventListener(name, () => {
          if (!chosen) show(button, label, found, count);
        });
      }
      button.addEventListener("click", () => {
        if (chosen) chosen.classList.remove("chosen");
        chosen = chosen === button ? null : button;
        if (chosen) chosen.classList.add("chosen");
        show(button, label, found, count);
      });
      if (!isRight && (first === null || count > first[3])) first = [button, label, found, count];
    }
    const share = run.confusion.accuracy_per_class[label];
    make(line, "td", share === null ? "–" : percent(share, 0), {className: "right"});
  });
  if (first) show(...first);
  element("none-text").hidden = !hasNone;
}

// Misclassified images and weights

const WRONG_AT_FIRST = 60;
function showWrong(count) {
  const wrong = run.confusion.wrong, button = element("more-wrong");
  element("wrong").replaceChildren();
  for (const k of wrong.slice(0, count)) addTile(element("wrong"), k, 56);
  button.hidden = count >= wrong.length;
  button.textContent = `Show all ${wrong.length}`;
}

function drawWeights() {
  const {largest, colours, bias, sheet} = run.hidden;
  say("weight-low", `−${largest}`);
  say("weight-high", `+${largest}`);
  element("weight-bar").style.background =
      `linear-gradient(to right, ${colours[0]}, #fff, ${colours[1]})`;
  for (let k = 0; k < sheet.count; k++) {
    const tile = make(element("hidden"), "div", undefined, {className: "tile"});
    tile.title = `Hidden spin ${k}, bias ${bias[k]}`;
    addWeights(tile, k, 64);
    make(tile, "span", String(k));
  }
}

// Start with the last epoch; the page says in data-interactive after how many ms it can be used.

const slider = element("epoch"), last = land.epochs.length - 1;
slider.max = last;
slider.value = last;
element("slider").hidden = last === 0;
element("pairs-figure").hidden = last === 0;
slider.addEventListener("input", () => moveTo(Number(slider.value)));
element("more-wrong").addEventListener("click", () => showWrong(Infinity));
showEpoch(last);
drawConfusion();
showWrong(WRONG_AT_FIRST);
drawWeights();
Promise.all([...drawCurves(), ...drawLandscape(last)]).then(() => {
  element("map").on("plotly_hover", showTip);
  element("map").on("plotly_unhover", () => {
    element("tip").hidden = true;
  });
  requestAnimationFrame(() => {
    document.documentElement.dataset.interactive = Math.round(performance.now());
  });
});
