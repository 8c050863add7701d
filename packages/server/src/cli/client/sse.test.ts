import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readServerSent, type ServerSent } from './sse.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
async function read(pieces: readonly Uint8Array[]): Promise<ServerSent[]> {
  async function* body() {
    yield* pieces
  }
  const all: ServerSent[] = []
  for await (const event of readServerSent(body())) all.push(event)
  return all
}

test('events, comments, fields that nobody knows, and a last one that broke off', async () => {
  const text =
    ': heartbeat\n\nid: 1\nevent: order.confirmed\ndata: {"seq":1}\n\nretry: 5\ndata:a\ndata: b\n\ndata: cut'
  expect(await read([bytes(text)])).toEqual([
    { event: 'order.confirmed', data: '{"seq":1}' },
    { event: 'message', data: 'a\nb' },
  ])
})

test('a carriage return ends a line, also when the line feed comes in the next piece', async () => {
  expect(await read([bytes('data: a\r'), bytes('\n\r'), bytes('\ndata: b\r\r')])).toEqual([
    { event: 'message', data: 'a' },
  ])
})

test('wherever the stream is cut, the same events come out', async () => {
  const text = 'event: x\ndata: {"a":"ü€😀"}\r\n\r\n: quiet\ndata: 2\n\nid: 7\ndata: three\n\n'
  const whole = await read([bytes(text)])
  expect(whole).toHaveLength(3)
  const all = bytes(text)
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(all.length), { maxLength: 12 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), all.length]
      const pieces = at.slice(1).map((end, i) => all.subarray(at[i], end))
      expect(await read(pieces)).toEqual(whole)
    }),
  )
})
