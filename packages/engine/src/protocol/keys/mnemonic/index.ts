/**
 * Mnemonics (BIP 39), for test signers only. Nothing in the engine imports this folder: the engine holds no
 * private key. It is exported on its own so that a program that wants it has to name it.
 */
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist as czech } from '@scure/bip39/wordlists/czech.js'
import { wordlist as english } from '@scure/bip39/wordlists/english.js'
import { wordlist as french } from '@scure/bip39/wordlists/french.js'
import { wordlist as italian } from '@scure/bip39/wordlists/italian.js'
import { wordlist as japanese } from '@scure/bip39/wordlists/japanese.js'
import { wordlist as korean } from '@scure/bip39/wordlists/korean.js'
import { wordlist as portuguese } from '@scure/bip39/wordlists/portuguese.js'
import { wordlist as simplifiedChinese } from '@scure/bip39/wordlists/simplified-chinese.js'
import { wordlist as spanish } from '@scure/bip39/wordlists/spanish.js'
import { wordlist as traditionalChinese } from '@scure/bip39/wordlists/traditional-chinese.js'
import { ok, type Refusal, type Result, refuse, Secret } from '../../../kernel/index.ts'

type MnemonicRefusal = Refusal<'MNEMONIC_INVALID'>

/** The word lists of BIP 39 that we carry, by name. */
export const WORD_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['english', english],
  ['czech', czech],
  ['french', french],
  ['italian', italian],
  ['japanese', japanese],
  ['korean', korean],
  ['portuguese', portuguese],
  ['spanish', spanish],
  ['chinese_simplified', simplifiedChinese],
  ['chinese_traditional', traditionalChinese],
])

const no = (reason: string) => refuse('MNEMONIC_INVALID', reason, { param: 'mnemonic' })

function wordList(language: string): Result<string[], MnemonicRefusal> {
  const list = WORD_LISTS.get(language)
  return list ? ok([...list]) : no(`there is no word list for ${language}`)
}

/** Words for 16 to 32 bytes of entropy. */
export function mnemonicFromEntropy(
  entropy: Uint8Array,
  language = 'english',
): Result<Secret<string>, MnemonicRefusal> {
  const list = wordList(language)
  if (!list.ok) return list
  if (entropy.length < 16 || entropy.length > 32 || entropy.length % 4 !== 0) {
    return no(`entropy has 16, 20, 24, 28 or 32 bytes, not ${entropy.length}`)
  }
  return ok(new Secret(entropyToMnemonic(entropy, list.value)))
}

/** The entropy of a mnemonic; checks words and checksum. */
export function entropyFromMnemonic(
  mnemonic: string,
  language = 'english',
): Result<Secret<Uint8Array>, MnemonicRefusal> {
  const list = wordList(language)
  if (!list.ok) return list
  try {
    return ok(new Secret(mnemonicToEntropy(mnemonic, list.value)))
  } catch {
    return no('a word is not in the list, or the checksum does not match')
  }
}

/** 64 bytes for `masterFromSeed`. Any language: only the number of words is checked, as BIP 39 allows. */
export function seedFromMnemonic(
  mnemonic: string,
  passphrase = '',
): Result<Secret<Uint8Array>, MnemonicRefusal> {
  try {
    return ok(new Secret(mnemonicToSeedSync(mnemonic, passphrase)))
  } catch {
    return no('a mnemonic has 12, 15, 18, 21 or 24 words')
  }
}
