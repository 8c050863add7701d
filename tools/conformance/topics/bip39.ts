import { fromHex, toHex } from '@kaccy/bitcoin/kernel'
import { masterFromSeed, printExtendedPrivateKey } from '@kaccy/bitcoin/protocol/keys'
import {
  entropyFromMnemonic,
  mnemonicFromEntropy,
  seedFromMnemonic,
  WORD_LISTS,
} from '@kaccy/bitcoin/protocol/keys/mnemonic'
import {
  type Case,
  type CaseRecord,
  differs,
  isRecord,
  jsonShape,
  must,
  runShapes,
  type Shape,
  type Verdict,
} from '../cases.ts'

export const topic = 'bip39'

interface File {
  readonly passphrase: string
  readonly [language: string]: string | readonly (readonly string[])[]
}

function checkRow(language: string, passphrase: string, row: readonly string[]): Verdict {
  const [entropy = '', words = '', seed = '', xprv] = row
  const derived = must(seedFromMnemonic(words, passphrase)).reveal()
  const master = must(masterFromSeed(derived, 'main'))
  const wrong = differs({
    seed: [toHex(derived), seed],
    ...(xprv === undefined
      ? {}
      : { xprv: [printExtendedPrivateKey(master).reveal(), xprv] as const }),
  })
  if (wrong !== undefined) return wrong
  if (!WORD_LISTS.has(language)) {
    return {
      skip: `no word list for ${language}: words to seed to xprv is right, entropy to words was not checked`,
    }
  }
  return differs({
    words: [
      must(mnemonicFromEntropy(fromHex(entropy), language))
        .reveal()
        .normalize('NFKD'),
      words.normalize('NFKD'),
    ],
    entropy: [toHex(must(entropyFromMnemonic(words, language)).reveal()), entropy],
  })
}

function* languageCases({ passphrase, ...languages }: File): Generator<Case> {
  for (const [language, rows] of Object.entries(languages)) {
    if (language === 'format') continue
    if (!Array.isArray(rows)) {
      yield [language, () => 'a section that is not understood']
      continue
    }
    for (const [i, row] of rows.entries()) {
      yield [`${language} ${i}`, () => checkRow(language, passphrase, row as readonly string[])]
    }
  }
}

/** A bare list of 2048 words has to be one of ours. */
const wordList: Shape = {
  matches: ({ data, text }) => data === undefined && text.trim().split(/\s+/).length === 2048,
  *cases({ text }) {
    const words = text.trim().split(/\s+/).join(' ').normalize('NFKD')
    const isOurs = [...WORD_LISTS.values()].some(
      (list) => list.join(' ').normalize('NFKD') === words,
    )
    yield ['word list', () => (isOurs ? undefined : 'the words are not those of any list we carry')]
  },
}

const shapes = [
  wordList,
  jsonShape<File>(
    (data) => isRecord(data, 'passphrase') && typeof data.passphrase === 'string',
    languageCases,
  ),
]

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, shapes)
