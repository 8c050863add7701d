import { ROOT } from './keys.ts'
import type { Pair } from './pair.ts'
import type { Story } from './story.ts'

const withChecksum = async (pair: Pair, bare: string): Promise<string> => {
  const { checksum } = await pair.ask<{ checksum: string }>('getdescriptorinfo', [bare])
  return `${bare}#${checksum}`
}
/** What wallet `w` (with keys) and wallet `watch` (without) are given. */
export async function importsOf({ pair, descriptors }: Story): Promise<readonly object[][]> {
  const own: object[] = []
  const watched: object[] = []
  const forms: readonly (readonly [number, (key: string) => string])[] = [
    [84, (key) => `wpkh(${key})`],
    [44, (key) => `pkh(${key})`],
    [49, (key) => `sh(wpkh(${key}))`],
    [86, (key) => `tr(${key})`],
  ]
  for (const [purpose, form] of forms) {
    for (const branch of [0, 1]) {
      const key = `${ROOT.privateExtendedKey}/${purpose}h/1h/0h/${branch}/*`
      const desc = await withChecksum(pair, form(key))
      const internal = branch === 1
      own.push({ desc, active: true, range: [0, 19], timestamp: 0, internal })
    }
    const account = ROOT.derive(`m/${purpose}'/1'/0'`)
    const origin = `[${ROOT.fingerprint.toString(16).padStart(8, '0')}/${purpose}h/1h/0h]`
    const bare = form(`${origin}${account.publicExtendedKey}/0/*`)
    watched.push({ desc: await withChecksum(pair, bare), range: [0, 19], timestamp: 0 })
  }
  for (const desc of descriptors) watched.push({ desc, timestamp: 0, label: 'forms' })
  return [own, watched]
}
