// Curves

const axis = (title, more) => ({
  title: {text: title, standoff: 8},
  gridcolor: "#e4e4e4",
  zeroline: false,
  linecolor: "#888",
  showline: true,
  ...more
});
const layout = (more) => ({
  margin: {l: 58, r: 10, t: 10, b: 44},
  font: {size: 12, color: "#1a1a1a"},
  dragmode: false,
  hovermode: "closest",
  legend: {orientation: "h", y: -0.25, yanchor: "top"},
  ...more
});
const epochAxis = (epochs) =>
    axis("epoch", epochs.length < 9 ? {tickmode: "array", tickvals: epochs} : {});
const curve = (y, name, k, x) => ({
  x,
  y,
  name,
  mode: "lines+markers",
  line: {color: run.colours[k], dash: ["solid", "dash", "dot"][k % 3]},
  marker: {symbol: SHAPES[k], size: 6}
});

function drawCurves() {
  const curves = run.curves, x = curves.epoch;
  const errors = [curve(curves.train_error_reads, "all states", 0, x)];
  if (String(curves.train_error_lowest) !== String(curves.train_error_reads)) {
    errors.push(curve(curves.train_error_lowest, "lowest state", 1, x));
  }
  if (curves.wrong_cycles.some((value) => value !== null)) {
    errors.push(curve(curves.wrong_cycles, "cycles that end in a wrong class", 2, x));
  }
  for (const each of errors)
    each.hovertemplate = "epoch %{x}: %{y:.2%}<extra>%{fullData.name}</extra>";
  const accuracy = {
    ...curve(curves.test_accuracy, "test", 2, x),
    hovertemplate: "epoch %{x}: %{y:.2%}<extra></extra>"
  };
  const right = axis("part of test images that are right", {tickformat: ".0%"});
  accuracy.line = {...accuracy.line, dash: "solid"};
  return [
    Plotly.newPlot(
        "errors", errors, layout({
          xaxis: epochAxis(x),
          yaxis: axis("part that is wrong", {tickformat: ".0%", rangemode: "tozero"})
        }),
        CONFIG),
    Plotly.newPlot("accuracies", [accuracy], layout({xaxis: epochAxis(x), yaxis: right}), CONFIG),
  ];
}

// Landscape: arrays are flat, of epochs, images, and states of an image

const land = run.landscape;
const perEpoch = land.images.length * land.perImage;
const tileOf = new Map(run.images.numbers.map((number, k) => [number, k]));
const labelOf = (i) => run.images.labels[tileOf.get(land.images[i])];
const isClassState = (state) =>
    land.counted < land.perImage && state % land.perImage < land.counted;
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function statesOf(epoch) {
  const groups = new Map([[-1, []], ...run.classes.map((_, k) => [k, []])]);
  const others = [];
  for (let i = 0; i < land.images.length; i++) {
    for (let read = 0; read < land.perImage; read++) {
      const state = epoch * perEpoch + i * land.perImage + read;
      const group = read < land.counted ? groups.get(land.classes[state]) : others;
      group.push({state, image: i});
    }
  }
  return {groups, others};
}

function points(states, name, marker) {
  return {
    x: states.map((each) => land.x[each.state]),
    y: states.map((each) => land.y[each.state]),
    name,
    customdata: states,
    mode: "markers",
    type: "scatter",
    hoverinfo: "none",
    marker
  };
}

function mapData(epoch) {
  const {groups, others} = statesOf(epoch);
  const traces = [];
  if (others.length) {
    traces.push({
      ...points(others, "sampled", {color: GREY, size: 4, symbol: "x-thin-open", opacity: 0.6}),
      legendrank: 2001
    });
  }
  for (const [k, found] of groups) {
    // The legend has the shape of the first point, which should be a filled one.
    const hasLabel = (each) => labelOf(each.image) === k;
    const states = [...found.filter(hasLabel), ...found.filter((each) => !hasLabel(each))];
    const isRight = states.map(hasLabel);
    traces.push({
      ...points(states, plotlyNameOf(k), {
        color: colourOf(k),
        size: 8,
        opacity: 0.85,
        symbol: isRight.map((right) => shapeOf(k) + (right ? "" : "-open")),
        line: {width: 1}
      }),
      showlegend: true,
      legendrank: k < 0 ? 2000 : 1000
    });
  }
  return traces;
}

function middles(epoch) {
  const found = [];
  for (const [k, states] of statesOf(epoch).groups) {
    if (k < 0 || states.length === 0) continue;
    found.push({
      x: median(states.map((each) => land.x[each.state])),
      text: plotlyNameOf(k),
      showarrow: false,
      y: median(states.map((each) => land.y[each.state])),
      bgcolor: "#ffffffcc",
      captureevents: false,
      bordercolor: colourOf(k),
      borderpad: isNarrow ? 1 : 2,
      yshift: isNarrow ? 12 : 18,
      font: {size: isNarrow ? 10 : 13, weight: 700}
    });
  }
  return found;
}

function extent(values) {
  const low = values.reduce((a, b) => Math.min(a, b)),
        high = values.reduce((a, b) => Math.max(a, b));
  const margin = 0.06 * (high - low) || 1;
  return [low - margin, high + margin];
}

// The legend is below the axis, in as many rows as it needs; short names share rows.
const isNarrow = element("map").clientWidth < 600;
const mapLayout = layout({
  xaxis: axis("map coordinate 1 (spins)", {range: extent(land.x)}),
  yaxis: axis("map coordinate 2 (spins)", {range: extent(land.y), scaleanchor: "x"}),
  margin: {l: 52, r: 5, t: 34, b: isNarrow ? 150 : 84},
  legend: {
    orientation: "h",
    yref: "container",
    y: 0,
    yanchor: "bottom",
    entrywidth: isShort ? 34 : undefined
  }
});
const largestDistance =
    Math.max(1, ...land.classDistances.flat(2).filter((value) => value !== null));
const marked = (epoch) => [{
  type: "line",
  x0: land.epochs[epoch],
  x1: land.epochs[epoch],
  yref: "paper",
  y0: 0,
  y1: 1,
  line: {color: "#000", width: 1.5, dash: "dot"}
}];

function drawLandscape(epoch) {
  const few = run.classes.length <= 12;
  const names = run.classes.map((_, k) => plotlyNameOf(k));
  const classes = {type: "category", automargin: true, tickvals: few ? names : undefined};
  const heat = {
    type: "heatmap",
    x: names,
    y: names,
    z: land.classDistances[epoch],
    zmin: 0,
    zmax: largestDistance,
    colorscale: "Cividis",
    texttemplate: few ? "%{z:.0f}" : "",
    textfont: {size: 10},
    colorbar: {title: {text: "spins", side: "right"}, thickness: 12},
    xgap: 1,
    ygap: 1,
    hovertemplate: "states of %{y} and of %{x}: %{z} spins apart<extra></extra>"
  };
  const columns = ["two states of one image", "two images of a class", "images of two classes"];
  const shown = [0, 1, 2].filter((k) => land.pairs.some((row) => row[k] !== null));
  const pairs = shown.map((k) => [columns[k], k])
                    .map(([name, k]) => ({
                           ...curve(land.pairs.map((row) => row[k]), name, k, land.epochs),
                           hovertemplate: "epoch %{x}: %{y} spins<extra>%{fullData.name}</extra>"
                         }));
  const plots = [
    Plotly.newPlot("map", mapData(epoch), {...mapLayout, annotations: middles(epoch)}, MAP_CONFIG),
    Plotly.newPlot(
        "distances", [heat], layout({
          xaxis: axis("label", classes),
          yaxis: axis("label", {...classes, autorange: "reversed"})
        }),
        CONFIG),
  ];
  if (land.epochs.length > 1) {
    plots.push(Plotly.newPlot(
        "pairs", pairs, layout({
          xaxis: epochAxis(land.epochs),
          shapes: marked(epoch),
          yaxis: axis("mean distance (spins)", {rangemode: "tozero"})
        }),
        CONFIG));
  }
  return plots;
}

function showEpoch(epoch) {
  say("epoch-number", String(land.epochs[epoch]));
  const kind = land.counted < land.perImage ? "lowest class states" : "sampled states";
  const parts =
      [
        "Two states of one image", "States of two images of a class",
        "States of images of two classes"
      ].map((name, k) => [name, land.pairs[epoch][k]])
          .filter((each) => each[1] !== null);
  say("epoch-text",
      `${percent(land.right[epoch])} of the ${kind} have the class of their image. ` +
          parts.map(([name, value]) => `${name} differ in ${value.toFixed(1)} spins on average.`)
              .join(" "));
}

function moveTo(epoch) {
  showEpoch(epoch);
  Plotly.react(
      "map", mapData(epoch), {...element("map").layout, annotations: middles(epoch)}, MAP_CONFIG);
  Plotly.restyle("distances", {z: [land.classDistances[epoch]]});
  if (last > 0) Plotly.relayout("pairs", {shapes: marked(epoch)});
}

// The outputs of a state: hexadecimal digits of four spins, 1 for +1

function outputsOf(state) {
  const bits = [...land.outputs[state]]
                   .map((digit) => parseInt(digit, 16).toString(2).padStart(4, "0"))
                   .join("");
  const redundancy = run.redundancy;
  return run.classes.map((name, k) => [name, bits.slice(k * redundancy, (k + 1) * redundancy)]);
}

function showTip(event) {
  const {state, image} = event.points[0].customdata;
  const tip = element("tip"), label = labelOf(image), found = land.classes[state];
  tip.replaceChildren();
  addImage(tip, tileOf.get(land.images[image]), 84);
  make(tip, "div", `Test image ${land.images[image]}, label ${nameOf(label)}`);
  make(tip, "div", isClassState(state) ? "lowest class state" : "sampled state");
  make(
      tip, "div",
      `outputs: ${found < 0 ? "no class" : nameOf(found)}${found === label ? "" : ", wrong"}`);
  make(tip, "div", `energy ${land.energies[state]}`);
  const table = make(tip, "table");
  for (const [name, spins] of outputsOf(state)
           .filter((each) => each[1].includes("1"))
           .slice(0, 12)) {
    const row = make(table, "tr");
    make(row, "td", name);
    make(row, "td", [...spins].map((bit) => (bit === "1" ? "+1" : "−1")).join(" "));
  }
  tip.hidden = false;
  const {clientX, clientY} = event.event;
  const left =
      clientX + 14 + tip.offsetWidth < innerWidth ? clientX + 14 : clientX - 14 - tip.offsetWidth;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(clientY + 14, innerHeight - tip.offsetHeight - 4))}px`;
}
