import { randomBytes } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { type NetworkFamily, versionsOf } from '../bitcoin/descriptor.ts'
import { SignerFailure } from '../failure.ts'
import { readPrivate, replaceFile } from './files.ts'
import { COST, type Cost, createSeal, type Seal } from './seal.ts'

interface VaultFile {
  readonly version: 1
  readonly salt: string
  readonly cost: Cost
  /** Opens only with the right passphrase, also while there is no key yet. */
  readonly check: string
  readonly keys: readonly { readonly fingerprint: string; readonly box: string }[]
}

/** The seeds, sealed in `keys.json`. They are opened once, when the program starts. */
export interface Vault {
  readonly seal: Seal
  readonly fingerprints: readonly string[]
  /** The master key with this fingerprint. */
  master(fingerprint: string, family: NetworkFamily): HDKey | undefined
  /** Seals the seed of a mnemonic and answers its fingerprint; a seed that is there already stays. @throws SignerFailure */
  add(mnemonic: string, passphrase: string): string
}

const CHECK = 'kaccy-signer'
const label = (fingerprint: string) => `seed ${fingerprint}`
const masterOf = (seed: Uint8Array, family: NetworkFamily): HDKey =>
  HDKey.fromMasterSeed(seed, versionsOf(family))
const fingerprintOf = (seed: Uint8Array): string =>
  masterOf(seed, 'main').fingerprint.toString(16).padStart(8, '0')

export function createVault(path: string, passphrase: string, cost: Cost = COST): void {
  if (passphrase.length < 12) throw new SignerFailure('a passphrase has 12 characters at least')
  const salt = randomBytes(16)
  const seal = createSeal(passphrase, salt, cost)
  const check = seal.close(Buffer.from(CHECK), CHECK)
  write(path, { version: 1, salt: salt.toString('base64'), cost, check, keys: [] })
}

const write = (path: string, file: VaultFile): void =>
  replaceFile(path, `${JSON.stringify(file, undefined, 2)}\n`)

function read(path: string): VaultFile {
  try {
    const file = JSON.parse(readPrivate(path)) as Partial<VaultFile>
    if (file.version === 1 && file.salt && file.cost && file.check && file.keys) {
      return file as VaultFile
    }
  } catch (error) {
    if (error instanceof SignerFailure) throw error
    // Not JSON: said below.
  }
  throw new SignerFailure(`${path} is damaged`)
}

/** @throws SignerFailure for a wrong passphrase or a damaged file. */
export function openVault(path: string, passphrase: string): Vault {
  let file = read(path)
  const seal = createSeal(passphrase, Buffer.from(file.salt, 'base64'), file.cost)
  seal.open(file.check, CHECK)
  const seeds = new Map(
    file.keys.map(({ fingerprint, box }) => [fingerprint, seal.open(box, label(fingerprint))]),
  )
  return {
    seal,
    get fingerprints() {
      return [...seeds.keys()]
    },
    master(fingerprint, family) {
      const seed = seeds.get(fingerprint)
      return seed && masterOf(seed, family)
    },
    add(mnemonic, extra) {
      const words = mnemonic.trim().split(/\s+/).join(' ')
      if (!validateMnemonic(words, wordlist)) {
        throw new SignerFailure(
          'these words are no BIP 39 mnemonic: one is missing, unknown or changed',
        )
      }
      const seed = mnemonicToSeedSync(words, extra)
      const fingerprint = fingerprintOf(seed)
      if (seeds.has(fingerprint)) return fingerprint
      const box = seal.close(seed, label(fingerprint))
      file = { ...file, keys: [...file.keys, { fingerprint, box }] }
      write(path, file)
      seeds.set(fingerprint, seed)
      return fingerprint
    },
  }
}
