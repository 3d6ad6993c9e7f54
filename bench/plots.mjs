// Results as pictures: SVG text, the same for the same figures. Knows the plotting library; must not know
// where pictures go.

import * as echarts from 'echarts';
import { median } from './statistics.mjs';
import { formatNumber } from './table.mjs';

const WIDTH = 760;
const HEIGHT = 420;
/** For text and axes; replaced by lighter ones where the page is dark. */
const INK = '#24292f';
const INK_ON_DARK = '#e6edf3';
const LINES = '#d0d7de';
const LINES_ON_DARK = '#30363d';
/** Readable on white and on black. */
const COLOURS = [
  ...['#1f6feb', '#e36209', '#2da44e', '#8250df', '#bf3989'],
  ...['#9a6700', '#57606a', '#0aa5a5', '#d4a72c', '#cf222e'],
];
const PERCENT = 100;

/** @returns pairs of a name and SVG text, for what the results have figures of */
export function plot(results) {
  const plots = [
    ['throughput', throughput],
    ['close', closeLatency],
    ['connections', connections],
    ['loss', loss],
  ];
  return plots
    .map(([name, draw]) => [name, draw(results)])
    .filter(([, option]) => option !== null)
    .map(([name, option]) => [name, render(name, option)]);
}

/** Bulk data in and out, one pair of bars for each contender, the fastest on top. */
function throughput(results) {
  const speed = (row, name) => results.median(row, name) ?? 0;
  const names = results.data.contenders
    .map(({ name }) => name)
    .filter((name) => speed('bulk-in', name) > 0)
    .sort((a, b) => speed('bulk-in', a) - speed('bulk-in', b));
  if (names.length === 0) return null;
  const bars = (row, name) => ({
    type: 'bar',
    name,
    data: names.map((each) => speed(row, each)),
    label: { show: true, position: 'right', formatter: ({ value }) => formatNumber(value) },
  });
  return {
    title: 'Bulk data, one connection, MTU 1500',
    xAxis: { type: 'value', name: 'Gbit/s' },
    yAxis: { type: 'category', data: names },
    // The library cannot measure text outside of a browser.
    grid: { left: 200, containLabel: false },
    series: [bars('bulk-out', 'out'), bars('bulk-in', 'in')],
  };
}

/** The share of closes that took at most so long. */
function closeLatency(results) {
  const curves = results.data.distributions.filter(({ load }) => load === 'close');
  if (curves.length === 0) return null;
  return {
    title: 'close() to the end on both sides',
    xAxis: { type: 'log', name: 'µs' },
    yAxis: { type: 'value', name: '% of closes', max: PERCENT },
    series: curves.map(({ contender, percentiles }) => ({
      type: 'line',
      name: contender,
      symbol: 'none',
      data: percentiles.map((us, percent) => [us, percent]),
    })),
  };
}

/** Round trips and connections while others are idle, over those without. */
function connections(results) {
  const shown = [
    ['pingpong', 'round trips'],
    ['crc-50', 'connections'],
  ];
  const counts = [...new Set(results.data.results.map(({ idle }) => idle))].sort((a, b) => a - b);
  if (counts.length < 2) return null;
  const line = (row, what, contender) => ({
    type: 'line',
    name: `${contender}, ${what}`,
    connectNulls: true,
    data: counts.map((idle) => {
      const values = results.find(row, contender, idle)?.values;
      if (values === undefined) return null;
      return Number(((PERCENT * median(values)) / results.median(row, contender)).toFixed(1));
    }),
  });
  const most = ({ name }) => results.data.results.some((r) => r.contender === name && r.idle > 0);
  return {
    title: 'Speed beside idle connections, compared with none',
    xAxis: { type: 'category', name: 'idle', data: counts.map(formatCount) },
    yAxis: { type: 'value', name: '% of none', min: 0 },
    series: results.data.contenders
      .filter(most)
      .flatMap(({ name }) => shown.map(([row, what]) => line(row, what, name))),
  };
}

/** Over a simulated link, beside what the response functions say, which agree where much is lost. */
function loss(results) {
  const rows = results.data.loss;
  if (rows.length === 0) return null;
  const controllers = [...new Set(rows.map(({ congestion }) => congestion))];
  const points = (name, read) =>
    rows
      .filter(({ congestion }) => congestion === name)
      .map((row) => [row.lossPercent, Number(read(row).toPrecision(4))]);
  const measured = controllers.map((name) => ({
    ...{ type: 'line', name, data: points(name, ({ mbits }) => mbits) },
  }));
  const responses = new Map();
  for (const name of controllers) {
    const data = points(name, ({ expected }) => expected);
    const same = JSON.stringify(data);
    responses.set(same, { data, names: [...(responses.get(same)?.names ?? []), name] });
  }
  const expected = [...responses.values()].map(({ data, names }) => ({
    ...{ type: 'line', name: `response function of ${names.join(' and ')}`, data },
    lineStyle: { type: 'dashed' },
  }));
  return {
    title: 'Throughput against loss, 100 ms round trip, virtual time',
    xAxis: { type: 'log', name: '% lost' },
    yAxis: { type: 'log', name: 'Mbit/s' },
    series: [...measured, ...expected],
  };
}

/** Identifiers begin with the name, so that several plots can be on one page. */
function render(name, { title, xAxis, yAxis, series, grid }) {
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  const text = { color: INK };
  const axis = {
    axisLabel: text,
    nameTextStyle: text,
    axisLine: { lineStyle: { color: INK } },
    splitLine: { lineStyle: { color: LINES } },
  };
  chart.setOption({
    animation: false,
    color: COLOURS,
    backgroundColor: 'transparent',
    textStyle: { ...text, fontFamily: 'sans-serif' },
    title: { text: title, left: 'center', textStyle: { ...text, fontSize: 16 } },
    legend: { bottom: 0, width: 640, itemGap: 24, textStyle: text },
    grid: { left: 16, right: 56, top: 56, bottom: 72, containLabel: true, ...grid },
    xAxis: { ...axis, ...xAxis },
    yAxis: { ...axis, ...yAxis },
    series: series.map((each) => ({
      ...each,
      ...(each.label && { label: { ...each.label, ...text } }),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return forDarkPages(withoutMouse(svg).replaceAll(/\bzr\d+-/g, `${name}-`));
}

/** What is for a mouse, and numbered by how many plots there were before. */
function withoutMouse(svg) {
  return svg.replaceAll(/ (class|ecmeta_\w+)="[^"]*"/g, '').replace(/<style >.*?<\/style>/s, '');
}

/** An image knows whether the page around it is dark, also where it cannot have scripts. */
function forDarkPages(svg) {
  const rules = [
    [INK, INK_ON_DARK],
    [LINES, LINES_ON_DARK],
  ].flatMap(([from, to]) => [`[fill="${from}"]{fill:${to}}`, `[stroke="${from}"]{stroke:${to}}`]);
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
  return svg.replace(/<svg[^>]*>/, (tag) => tag + style);
}

function formatCount(count) {
  return count === 0 ? 'none' : formatNumber(count);
}
