import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check, hex } from '@scure/base'
import { describe, expect, it, test } from 'vitest'
import { descriptorChecksum, withChecksum } from './checksum.ts'
import { parseDescriptor } from './parse.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const vectors = <T>(path: string): T =>
  JSON.parse(readFileSync(join(shared, 'vectors/descriptors', path), 'utf8')) as T
const base58check = createBase58check(sha256)

/** The vectors stand on the main network; the devnet speaks regtest only. */
const onRegtest = (text: string): string =>
  text.replace(
    /\b[xt]p(ub|rv)[1-9A-HJ-NP-Za-km-z]{100,}|\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b/g,
    (key) => {
      const bytes = base58check.decode(key)
      if (key.startsWith('xpub')) bytes.set([0x04, 0x35, 0x87, 0xcf])
      else if (key.startsWith('xprv')) bytes.set([0x04, 0x35, 0x83, 0x94])
      else if (bytes[0] === 0x80) bytes[0] = 0xef
      return base58check.encode(bytes)
    },
  )

interface Case {
  readonly private: string
  readonly public: string
  readonly flags: string
  readonly scripts_per_index: readonly (readonly string[])[]
}
const { cases } = vectors<{ cases: readonly Case[] }>('core_check.json')
/** Miniscript is not known here, and neither here nor in Core 28 are multipath keys. */
const UNSUPPORTED =
  /andor|thresh|or_|and_|older|after|<|sha256|hash256|pkh\(\w*\),pk|[a-z]:|wsh\(pk_k|tr\(.*,.*pkh\(/
const supported = cases.filter((entry) => !UNSUPPORTED.test(entry.public))

describe('descriptors', () => {
  test.each(supported)('give the scripts of Core: $public', (entry) => {
    for (const form of [entry.public, entry.private]) {
      const hardened = /[h']\/?\*|\*[h']|\/\d+['h]/.test(form.replace(/\[[^\]]*\]/g, ''))
      if (hardened && form === entry.public) continue
      const descriptor = parseDescriptor(onRegtest(form))
      entry.scripts_per_index.forEach((scripts, index) => {
        expect(descriptor.scripts(index).map((script) => hex.encode(script))).toEqual(scripts)
      })
      expect(descriptor.ranged).toBe(entry.flags.includes('RANGE'))
    }
  })
  it('were many', () => expect(supported.length).toBeGreaterThan(12))

  it('have the checksum of BIP 380', () => {
    expect(withChecksum('raw(deadbeef)')).toBe('raw(deadbeef)#89f8spxm')
    expect(descriptorChecksum('raw(Ü)')).toBeUndefined()
  })

  it.each([
    ['raw(deadbeef)#', 'Expected 8 character checksum, not 0 characters'],
    ['raw(deadbeef)#89f8spxmx', 'Expected 8 character checksum, not 9 characters'],
    ['raw(deedbeef)#89f8spxm', /Provided checksum '89f8spxm' does not match computed checksum/],
    ['raw(deadbeef)##9f8spxm', "Multiple '#' symbols"],
    ['wsh(wpkh(02aa))', 'Can only have wpkh() at top level or inside sh()'],
    ['sh(sh(02aa))', 'Can only have sh() at top level'],
    ['multi(3,02aa)', /Pubkey '02aa' is invalid/],
    ['addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)', 'Address is not valid'],
    ['nosuch(1)', "'nosuch(1)' is not a valid descriptor function"],
  ])('refuse %s', (text, message) => {
    expect(() => parseDescriptor(text)).toThrow(message)
  })
})
