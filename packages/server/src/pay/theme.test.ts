import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkTheme, type PayTheme, themeRules } from './theme.ts'

const png = (bytes: number) => `data:image/png;base64,${Buffer.alloc(bytes, 1).toString('base64')}`

const HOSTILE: readonly PayTheme[] = [
  { accent: 'red' },
  { accent: '#fff' },
  { accent: '#ffffff;}body{display:none' },
  { accent: '#ffffff\n' },
  { accent: 'url(https://evil.example)' },
  { radius: -1 },
  { radius: 25 },
  { radius: 1.5 },
  { radius: Number.NaN },
  { font: 'Arial"; } body { display: none } x {' },
  { font: 'Arial;color:red' },
  { font: 'url(https://evil.example/f.woff)' },
  { font: 'Arial\\' },
  { font: 'Arial, ' },
  { font: '' },
  { font: 'Arial\n' },
  { name: '' },
  { name: 'a\u202eb' },
  { name: 'a\u0000b' },
  { name: 'x'.repeat(61) },
  { logo: 'https://evil.example/logo.png' },
  { logo: 'data:text/html;base64,PHNjcmlwdD4=' },
  { logo: 'data:image/png,raw' },
  { logo: 'data:image/__proto__;base64,AAAA' },
  { logo: 'data:image/png;base64,AA AA' },
  { logo: 'javascript:alert(1)' },
  { logo: png(128 * 1024 + 1) },
]

test.each(HOSTILE)('%o is refused', (theme) => {
  expect(() => checkTheme(theme)).toThrow(expect.objectContaining({ code: 'CONFIG_VALUE_INVALID' }))
})

test('a whole theme is taken', () => {
  const theme = checkTheme({
    name: 'Bäckerei “Süß” & Söhne',
    accent: '#FF8800',
    radius: 0,
    font: 'Inter, Source Sans 3, sans-serif',
    logo: png(128 * 1024),
  })
  expect(theme.logo).toMatchObject({ type: 'image/png', extension: 'png' })
  expect(themeRules(theme)).toContain('--pay-font: "Inter", "Source Sans 3", sans-serif,')
  expect(themeRules(theme)).toContain('--pay-radius: 0px;')
})

test('nothing that passes the check leaves its declaration', () => {
  fc.assert(
    fc.property(
      fc.record({
        accent: fc.oneof(fc.string(), fc.constant('#123456')),
        radius: fc.oneof(fc.double(), fc.integer({ min: 0, max: 24 })),
        font: fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.stringMatching(/^[A-Za-z ,"'{}\\;()0-9-]{1,20}$/),
        ),
      }),
      (theme) => {
        let rules: string
        try {
          rules = themeRules(checkTheme(theme))
        } catch {
          return // refused: nothing reaches the style sheet
        }
        const lines = rules.trimEnd().split('\n')
        expect([lines[0], lines.at(-1)]).toEqual([':root {', '}'])
        for (const line of lines.slice(1, -1))
          expect(line).toMatch(/^ {2}--pay-[a-z-]+: [#A-Za-z0-9 ,"-]+;$/)
      },
    ),
  )
})
