/** One line of the plot. */
export interface PlottedRatio {
  readonly name: string
  readonly ratio: number
  /** Half of what lies between the smallest and the largest, as a share of the ratio. */
  readonly spread: number
  readonly reach: number
}

const WIDTH = 760
const ROW = 24
const TOP = 54
const LEFT = 176
const RIGHT = WIDTH - 128

// Legible on whatever the page is: it brings its background along, and a darker one where the reader prefers that. What is
// short is hollow as well as of another colour.
const STYLE = `
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0; --good: #1a7f37; --short: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --line: #3d444d; --good: #3fb950; --short: #f0883e; }
  }
  text { font: 13px system-ui, sans-serif; fill: var(--ink); }
  .faint { fill: var(--faint); font-size: 12px; }
  .paper { fill: var(--paper); }
  .grid { stroke: var(--line); }
  .one { stroke: var(--faint); stroke-width: 1.5; }
  .reach { stroke: var(--ink); stroke-width: 3; }
  .good { stroke: var(--good); } .short { stroke: var(--short); }
  .bar { stroke-width: 2; } .spread { stroke-width: 6; opacity: 0.3; }
  circle { stroke-width: 2; } circle.good { fill: var(--good); } circle.short { fill: var(--paper); }`

/** Ratios on a logarithmic scale, with the reach of each. */
export function ratioPlot(ratios: readonly PlottedRatio[]): string {
  const scale = scaleOf(ratios)
  const height = TOP + ratios.length * ROW + 30
  const bottom = TOP + ratios.length * ROW
  const grid = scale.ticks.flatMap((tick) => [
    `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${scale.x(tick)}" x2="${scale.x(tick)}" y1="${TOP - 8}" y2="${bottom}"/>`,
    `<text class="faint" x="${scale.x(tick)}" y="${TOP - 14}" text-anchor="middle">${tickText(tick)}</text>`,
  ])
  const rows = ratios.flatMap((one, at) => row(one, TOP + at * ROW + ROW / 2, scale.x))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
<title id="title">Rate of Obverse as a multiple of that of the twin, for each question, with the reach that was meant</title>
<style>${STYLE}
</style>
<rect class="paper" width="${WIDTH}" height="${height}"/>
<text class="faint" x="12" y="18">times the hand-written twin (right of 1× = ours is the better)</text>
${[...grid, ...rows].join('\n')}
<text class="faint" x="12" y="${height - 10}">● reached · ○ short · ┃ reach · pale: spread of the runs</text>
</svg>
`
}

function row({ name, ratio, spread, reach }: PlottedRatio, y: number, x: (ratio: number) => number): string[] {
  const verdict = ratio >= reach ? 'good' : 'short'
  const [low, high] = [ratio * (1 - Math.min(spread, 0.9)), ratio * (1 + spread)]
  return [
    `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${name}</text>`,
    `<line class="spread ${verdict}" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>`,
    `<line class="bar ${verdict}" x1="${x(1)}" x2="${x(ratio)}" y1="${y}" y2="${y}"/>`,
    `<line class="reach" x1="${x(reach)}" x2="${x(reach)}" y1="${y - 8}" y2="${y + 8}"/>`,
    `<circle class="${verdict}" cx="${x(ratio)}" cy="${y}" r="5"/>`,
    `<text x="${RIGHT + 16}" y="${y + 4}">${ratio.toFixed(2)}× <tspan class="faint">of ${reach}×</tspan></text>`,
  ]
}

/** Whole powers of two around everything that is drawn. */
function scaleOf(ratios: readonly PlottedRatio[]) {
  const values = [0.5, 2, ...ratios.flatMap(({ ratio, reach }) => [ratio, reach])].map(Math.log2)
  const [first, last] = [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))]
  const x = (ratio: number) => {
    const share = (Math.min(Math.max(Math.log2(ratio), first), last) - first) / (last - first)
    return Math.round((LEFT + share * (RIGHT - LEFT)) * 10) / 10
  }
  return { x, ticks: Array.from({ length: last - first + 1 }, (_, n) => 2 ** (first + n)) }
}

function tickText(tick: number): string {
  return tick >= 1 ? `${tick}×` : `1/${1 / tick}×`
}
