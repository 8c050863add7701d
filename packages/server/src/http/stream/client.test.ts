import { expect, test } from 'vitest'
import type { Channel } from './channel.ts'
import { Client, type Home } from './client.ts'
import { CLOSE, STREAM_DEFAULTS } from './policy.ts'

test('a stream that was cut leaves no timer behind when its connection ends', () => {
  const timers = new Set<number>()
  const home: Home = {
    settings: STREAM_DEFAULTS,
    follow: () => 'unreachable',
    begin: () => false,
    read: async () => undefined,
    remove: () => {},
    sent: () => {},
    pause: async () => {},
    later(milliseconds) {
      timers.add(milliseconds)
      return () => void timers.delete(milliseconds)
    },
  }
  const said: string[] = []
  const channel: Channel = {
    form: 'sse',
    waiting: 0,
    open: () => {},
    write: () => {},
    flushed: async () => {},
    beat: () => true,
    close: (_code, reason) => void said.push(reason),
    terminate: () => {},
  }
  const client = new Client(home, {
    channel,
    filter: {},
    grant: { scopes: [] },
    address: '127.0.0.1',
    after: 7,
  })
  client.cut(CLOSE.goingAway, 'going away')
  expect([said, timers.size]).toEqual([['going away; resume with after=7'], 1])
  client.gone('left')
  expect(timers.size).toBe(0)
})
