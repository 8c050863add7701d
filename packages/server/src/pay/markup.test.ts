import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeText, foreign, html } from './markup.ts'

test('what is put into a template is text, markup stays markup', () => {
  const inner = html`<b>${'<i>'}</b>`
  expect(
    `${html`<p title="${'a"b'}">${inner}${[html`<i>1</i>`, 2n]}${undefined}${false}</p>`}`,
  ).toBe('<p title="a&quot;b"><b>&lt;i&gt;</b><i>1</i>2</p>')
})

test('an object that looks like markup is text', () => {
  const forged = { toString: () => '<script>' } as unknown as string
  expect(`${html`${forged}`}`).toBe('&lt;script&gt;')
})

test('no text whatever can begin a tag, end a quoted attribute or hide a control character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeText(text)
      expect(escaped).not.toMatch(/[<>"'`]/)
      expect(escaped).not.toMatch(/(?![\t\n])\p{Cc}/u)
      expect(escaped.replace(/&(amp|lt|gt|quot|#39|#96);/g, '')).not.toContain('&')
    }),
  )
})

test('what a stranger says about direction ends with their text', () => {
  expect(`${foreign('a\u202eb')}`).toBe('<bdi>a\u202eb</bdi>')
})
