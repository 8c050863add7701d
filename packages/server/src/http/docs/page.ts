import { readFileSync } from 'node:fs'
import { html, type Markup } from '../../pay/markup.ts'

/**
 * Nothing but our own style sheet: no script, no picture, no frame, no form, and nothing from another origin.
 */
export const PAGE_CSP =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const STYLE_PATH = '/docs/style.css'
export const readStyle = (): string => readFileSync(new URL('./docs.css', import.meta.url), 'utf8')

export const pageOf = (title: string, body: Markup): string => `<!doctype html>
${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${STYLE_PATH}">
</head>
<body>
${body}
</body>
</html>`}
`
