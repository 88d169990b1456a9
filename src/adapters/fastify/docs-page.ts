import { docsScript } from './docs-script.ts'
import { docsStyle } from './docs-style.ts'

/** A page that renders an OpenAPI document, with forms to try each operation. Nothing in it comes from elsewhere. */
export function docsPage(title: string, document: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${docsStyle}</style>
</head>
<body data-document="${escaped(document)}">
<header><h1>${escaped(title)}</h1><p id="about"></p></header>
<main id="operations"><p>Loading ${escaped(document)} …</p></main>
<section><h2>Schemas</h2><div id="schemas"></div></section>
<noscript>This page needs JavaScript; the document itself is at ${escaped(document)}.</noscript>
<script>${docsScript}</script>
</body>
</html>
`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
