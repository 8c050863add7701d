import { createCipheriv, createDecipheriv } from 'node:crypto'
import { equalBytes, fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import {
  type Case,
  type CaseRecord,
  isRecord,
  jsonShape,
  runShapes,
  type Verdict,
} from '../cases.ts'

export const topic = 'hash'

/** What stands in all of these files: bytes in hex, parameters per group, and the expected outcome. */
interface Test {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly [field: string]: unknown
}
interface Group {
  readonly tests: readonly Test[]
  readonly [parameter: string]: unknown
}
interface WycheproofFile {
  readonly algorithm: string
  readonly testGroups: readonly Group[]
}

const bytesOf = (test: Test, field: string): Uint8Array => fromHex(String(test[field] ?? ''))
const bits = (group: Group, parameter: string): number => Number(group[parameter]) / 8

/** Passed when the operation agrees with the file about whether this is right. */
function agrees(test: Test, isRight: boolean): Verdict {
  if (test.result === 'acceptable' || isRight === (test.result === 'valid')) return undefined
  return `${isRight ? 'taken' : 'refused'}, but it is ${test.result}: ${test.comment}`
}

const mac = (hash: typeof sha256 | typeof sha512) => (test: Test, group: Group) => {
  const tag = hmac(hash, bytesOf(test, 'key'), bytesOf(test, 'msg'))
  return equalBytes(tag.subarray(0, bits(group, 'tagSize')), bytesOf(test, 'tag'))
}

function hkdf(test: Test): boolean {
  const size = Number(test['size'])
  // RFC 5869: at most 255 blocks. The library refuses more, which is the right answer to such a case.
  if (size > 255 * 32) {
    try {
      expand(sha256, new Uint8Array(32), new Uint8Array(0), size)
      return true
    } catch {
      return false
    }
  }
  const key = extract(sha256, bytesOf(test, 'ikm'), bytesOf(test, 'salt'))
  return toHex(expand(sha256, key, bytesOf(test, 'info'), size)) === test['okm']
}

function stretch(test: Test): boolean {
  const derived = pbkdf2(sha512, bytesOf(test, 'password'), bytesOf(test, 'salt'), {
    c: Number(test['iterationCount']),
    dkLen: Number(test['dkLen']),
  })
  return toHex(derived) === test['dk']
}

type Cipher = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'

/** OpenSSL's limit. The engine itself only ever uses 12 bytes. */
const LONGEST_IV = 128

/** Opens and seals with the cipher of Node; any error is a refusal. */
function openAndSeal(name: Cipher, test: Test): boolean {
  const [key, iv, aad] = [bytesOf(test, 'key'), bytesOf(test, 'iv'), bytesOf(test, 'aad')]
  const [plain, sealed, tag] = [bytesOf(test, 'msg'), bytesOf(test, 'ct'), bytesOf(test, 'tag')]
  const length = { authTagLength: 16 } as const
  try {
    const opening = createDecipheriv(name as 'aes-256-gcm', key, iv, length)
    opening.setAAD(aad)
    opening.setAuthTag(tag)
    const opened = Buffer.concat([opening.update(sealed), opening.final()])
    const sealing = createCipheriv(name as 'aes-256-gcm', key, iv, length)
    sealing.setAAD(aad)
    const again = Buffer.concat([sealing.update(plain), sealing.final()])
    return (
      equalBytes(opened, plain) &&
      equalBytes(again, sealed) &&
      equalBytes(sealing.getAuthTag(), tag)
    )
  } catch {
    return false
  }
}

const ALGORITHMS: Readonly<Record<string, (test: Test, group: Group) => boolean>> = {
  HMACSHA256: mac(sha256),
  HMACSHA512: mac(sha512),
  'HKDF-SHA-256': hkdf,
  'PBKDF2-HMACSHA512': stretch,
  'AES-GCM': (test, group) => openAndSeal(`aes-${Number(group['keySize'])}-gcm` as Cipher, test),
  'CHACHA20-POLY1305': (test) => openAndSeal('chacha20-poly1305', test),
}

const wycheproof = jsonShape<WycheproofFile>(
  (data) => isRecord(data, 'algorithm', 'testGroups'),
  function* ({ algorithm, testGroups }): Generator<Case> {
    const check = ALGORITHMS[algorithm]
    for (const group of testGroups) {
      for (const test of group.tests) {
        yield [
          String(test.tcId),
          () => {
            if (!check) return `${algorithm} is not known`
            if (bytesOf(test, 'iv').length > LONGEST_IV) {
              return { skip: 'the cipher library takes IVs of at most 128 bytes; we use 12' }
            }
            return agrees(test, check(test, group))
          },
        ]
      }
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [wycheproof])
