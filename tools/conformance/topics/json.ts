import { parseJson } from '@kaccy/bitcoin/protocol/json'
import { type CaseRecord, isTable, jsonShape, runShapes } from '../cases.ts'

export const topic = 'json'

interface Text {
  readonly name: string
  readonly valid: boolean
  readonly base64: string
}
const texts = jsonShape<readonly Text[]>(
  (data) => isTable(data, 'valid', 'base64'),
  function* (rows) {
    for (const [i, { name, valid, base64 }] of rows.entries()) {
      yield [
        name ?? String(i),
        () => {
          const result = parseJson(new Uint8Array(Buffer.from(base64, 'base64')))
          if (result.ok === valid) return undefined
          return result.ok ? 'was taken, has to be refused' : result.error.message
        },
      ]
    }
  },
)

export const run = (dir: string): AsyncGenerator<CaseRecord> => runShapes(dir, [texts])
