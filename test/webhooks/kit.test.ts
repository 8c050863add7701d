import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Everything that an import of this file loads: files of ours, and packages. */
function loadedBy(start: URL) {
  const files = new Set<string>()
  const packages = new Set<string>()
  const waiting = [start]
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (files.has(file.href)) continue
    files.add(file.href)
    const text = readFileSync(fileURLToPath(file), 'utf8')
    for (const [, clause = '', from = ''] of text.matchAll(
      /^(?:import|export)\b([^'"]*?)\bfrom '([^']+)'/gm,
    )) {
      if (/^\s*type\b/.test(clause)) continue
      if (from.startsWith('.')) waiting.push(new URL(from, file))
      else
        packages.add(
          from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/'),
        )
    }
  }
  return { files: [...files], packages: [...packages].sort() }
}

test('the kit of a shop brings no driver, no adapter and no Node core with it', () => {
  const { files, packages } = loadedBy(new URL(import.meta.resolve('@kaccy/bitcoin/webhooks')))
  expect(files.length).toBeGreaterThan(20)
  expect(packages).toEqual(['@noble/hashes', '@scure/base'])
  expect(files.filter((file) => /\/(adapters|runtime|wallet|deposits|chain)\//.test(file))).toEqual(
    [],
  )
})
