/** Style of the documentation page; light and dark as the reader's system says. */
export const docsStyle: string = `
:root { color-scheme: light dark; --line: light-dark(#d9dde3, #3a4049); --soft: light-dark(#f5f6f8, #1d2126);
  --text: light-dark(#1d2126, #e6e8eb); --faint: light-dark(#5b6470, #9aa3ae);
  --GET: light-dark(#1864ab, #74c0fc); --POST: light-dark(#2b7a3d, #8ce99a);
  --PATCH: light-dark(#9c5700, #ffc078); --PUT: var(--PATCH); --DELETE: light-dark(#b02a37, #ffa8a8); }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 6rem; color: var(--text);
  background: light-dark(#fff, #14171a); font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.6rem } h2 { margin: 2.5rem 0 .75rem; font-size: 1.15rem }
h3 { margin: 1.25rem 0 .4rem; font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--faint) }
header p { margin: .25rem 0 1.5rem; color: var(--faint) }
code, pre, textarea, .path, .method, td:first-child { font-family: ui-monospace, monospace; font-size: .875rem }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; overflow: hidden }
summary { display: flex; gap: .75rem; align-items: baseline; padding: .65rem 1rem; cursor: pointer; list-style: none }
summary:hover, details[open] > summary { background: var(--soft) }
summary::-webkit-details-marker { display: none }
.method { min-width: 4rem; font-weight: 700 } .path { font-weight: 600 }
.says { margin-left: auto; color: var(--faint); text-align: right }
.inside { padding: 0 1rem 1rem; border-top: 1px solid var(--line) }
table { width: 100%; border-collapse: collapse } td { padding: .3rem .75rem .3rem 0; vertical-align: baseline;
  border-bottom: 1px solid var(--line) } tr:last-child td { border-bottom: 0 }
.faint { color: var(--faint) } .must { color: var(--DELETE) }
pre { margin: .5rem 0; padding: .75rem; background: var(--soft); border-radius: 6px; overflow: auto; max-height: 28rem;
  white-space: pre-wrap; overflow-wrap: anywhere }
label { display: grid; grid-template-columns: 12rem 1fr; gap: .75rem; align-items: center; margin: .35rem 0 }
input, textarea { width: 100%; padding: .4rem .6rem; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: 6px; font: inherit }
textarea { font: .875rem/1.5 ui-monospace, monospace; field-sizing: content; max-height: 30rem }
button { margin-top: .75rem; padding: .45rem 1.25rem; border: 0; border-radius: 6px; background: var(--GET);
  color: light-dark(#fff, #14171a); font: inherit; font-weight: 600; cursor: pointer }
:focus-visible { outline: 2px solid var(--GET); outline-offset: 1px }
@media (max-width: 40rem) { label { grid-template-columns: 1fr; gap: .1rem } .says { display: none } }
`
