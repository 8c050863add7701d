import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EngineError } from '../../kernel/index.ts'
import { formatBatch, formatCall, readBatch, readReply } from './envelope.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const CALLS = ['a', 'b', 'c'].map((method) => ({ method, params: [] }))
const answer = (id: number, result: unknown = id) => ({ result, error: null, id })

it('writes what nodes expect', () => {
  expect(formatCall('1.0', { method: 'm', params: [1, 'x'] }, 7)).toBe(
    '{"jsonrpc":"1.0","id":7,"method":"m","params":[1,"x"]}',
  )
  expect(JSON.parse(formatBatch('2.0', CALLS, 5)).map(({ id }: { id: number }) => id)).toEqual([
    5, 6, 7,
  ])
})

it('reads both versions', () => {
  const value = { ok: true, result: null }
  expect(readReply('m', 1, bytes('{"result":null,"error":null,"id":1}'))).toEqual(value)
  expect(readReply('m', 1, bytes('{"jsonrpc":"2.0","result":null,"id":1}'))).toEqual(value)
  const error = { ok: false, error: { code: -5, message: 'no' } }
  const written = '"error":{"code":-5,"message":"no"},"id":1}'
  expect(readReply('m', 1, bytes(`{"result":null,${written}`))).toEqual(error)
  expect(readReply('m', 1, bytes(`{"jsonrpc":"2.0",${written}`))).toEqual(error)
})

describe('a batch', () => {
  const read = (items: unknown) => readBatch(CALLS, 10, bytes(JSON.stringify(items)))

  it('comes in the order asked, whatever the order of the answer', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([10, 11, 12], { minLength: 3 }), (ids) => {
        const results = read(ids.map((id) => answer(id, `r${id}`)))
        expect(results).toEqual([10, 11, 12].map((id) => ({ ok: true, result: `r${id}` })))
      }),
    )
  })

  it.each([
    ['one missing', [answer(10), answer(11)]],
    ['one twice', [answer(10), answer(11), answer(11)]],
    ['a foreign one', [answer(10), answer(11), answer(13)]],
    ['one without id', [answer(10), answer(11), { result: 1, error: null }]],
    ['one too many', [answer(10), answer(11), answer(12), answer(12)]],
    ['a single result', answer(10)],
    ['texts', ['a', 'b', 'c']],
  ])('with %s is refused', (_, items) => {
    expect(() => read(items)).toThrow(expect.objectContaining({ code: 'NODE_ANSWER_INVALID' }))
  })

  it('that is refused as a whole is refused for every call', () => {
    const refused = { ok: false, error: { code: -32_600, message: 'no batches' } }
    expect(read({ result: null, error: refused.error, id: null })).toEqual([
      refused,
      refused,
      refused,
    ])
  })
})

it('no bytes whatever do more than be refused', () => {
  const hostile = fc.oneof(
    fc.uint8Array(),
    fc.json().map(bytes),
    fc.json().map((text) => bytes(`{"result":${text},"error":null,"id":1}`)),
    fc.json().map((text) => bytes(`{"result":null,"error":${text},"id":1}`)),
  )
  fc.assert(
    fc.property(hostile, (body) => {
      for (const read of [() => readReply('m', 1, body), () => readBatch(CALLS, 1, body)]) {
        try {
          read()
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError)
          expect(error).toMatchObject({ code: 'NODE_ANSWER_INVALID' })
        }
      }
    }),
    { numRuns: 500 },
  )
})
