"use strict";
const run = JSON.parse(document.getElementById("payload").textContent);
const element = (name) => document.getElementById(name);
const say = (name, text) => {
  element(name).textContent = text;
};
const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`;
const GREY = "#767676";
// Seven colours and eight shapes have no common divisor, so that 56 classes all differ.
const SHAPES =
    ["circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star"];
const colourOf = (k) => (k < 0 ? GREY : run.colours[k % run.colours.length]);
const shapeOf = (k) => (k < 0 ? "asterisk" : SHAPES[k % SHAPES.length]);
const nameOf = (k) => (k < 0 || k >= run.classes.length ? "none" : run.classes[k]);
// Plotly takes texts for HTML.
const plotlyNameOf = (k) =>
    nameOf(k).replace(/[&<>]/g, (sign) => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"})[sign]);
const isShort = run.classes.every((name) => name.length <= 3);
const CONFIG = {
  responsive: true,
  displayModeBar: false
};
const MAP_CONFIG = {
  responsive: true,
  displayModeBar: true,
  displaylogo: false,
  modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]]
};

function make(parent, tag, text, properties) {
  const child = document.createElement(tag);
  if (text !== undefined) child.textContent = text;
  Object.assign(child, properties);
  parent.append(child);
  return child;
}

// Images: parts of one sheet, which is the background of a class of elements.

const rules = make(document.head, "style").sheet;
function addSheet(name, sheet) {
  rules.insertRule(`.${name} { background-image: url("${sheet.uri}"); }`);
  return (parent, k, size) => {
    const scale = size / Math.max(sheet.width, sheet.height);
    const [width, height] = [Math.max(1, sheet.width * scale), Math.max(1, sheet.height * scale)];
    const box = make(parent, "span", undefined, {className: `pixels ${name}`});
    box.style.width = `${width}px`;
    box.style.height = `${height}px`;
    box.style.backgroundSize = `${sheet.columns * width}px auto`;
    box.style.backgroundPosition =
        `${- (k % sheet.columns) * width}px ${- Math.floor(k / sheet.columns) * height}px`;
    return box;
  };
}
const addImage = addSheet("test-images", run.images.sheet);
const addWeights = addSheet("weight-images", run.hidden.sheet);

function addTile(parent, k, size) {
  const label = nameOf(run.images.labels[k]), found = nameOf(run.images.predicted[k]);
  const tile = make(parent, "div", undefined, {className: "tile"});
  tile.title = `Test image ${run.images.numbers[k]}: label ${label}, taken for ${found}`;
  addImage(tile, k, size);
  make(tile, "span", label === found ? label : `${label} → ${found}`);
}

// Text

document.title = `${run.title}: isingprop report`;
say("title", run.title);
for (const name of ["summary", "accuracy"]) say(name, run[name]);
say("curves-text", run.curves.text);
say("landscape-text", run.landscape.text);
say("snapshots-text", run.landscape.snapshots);
say("wrong-text", run.confusion.wrongText);
say("hidden-text", run.hidden.text);
for (const [name, value] of Object.entries(run.settings)) {
  const row = make(element("settings"), "tr");
  make(row, "th", name);
  make(row, "td", value === null ? "–" : String(value));
}
