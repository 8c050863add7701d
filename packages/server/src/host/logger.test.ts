import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger } from './logger.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const file = join(shared, 'vectors/hostile/labels.json')
const labels: readonly string[] = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8')).cases.map(({ text }: { text: string }) => text)
  : ['line1\r\nINFO fake log line', '\u001b[2J\u001b[31mroot', 'a\u202ebc']

function logging(form: 'text' | 'json') {
  const written: string[] = []
  const logger = createLogger({
    output: { write: (text: string) => written.push(text) },
    least: 'info',
    form,
    now: () => 0,
    context: () => ({ request_id: 'req_1' }),
  })
  return { logger, written }
}

test.each(labels)('%j makes one line and moves no cursor', (label) => {
  const text = logging('text')
  text.logger.log('info', `order ${label}`, { label })
  expect(text.written).toHaveLength(1)
  expect(text.written[0]).toMatch(/^1970-01-01T00:00:00.000Z info {2}order [^\p{Cc}]*\n$/u)
  const json = logging('json')
  json.logger.log('warn', 'order', { label })
  expect(json.written).toHaveLength(1)
  expect(json.written[0]?.match(/\n/g)).toHaveLength(1)
  expect(JSON.parse(json.written[0] ?? '')).toEqual({
    type: 'log',
    level: 'warn',
    at: '1970-01-01T00:00:00.000Z',
    request_id: 'req_1',
    label,
    message: 'order',
  })
})

test('what is less important than wished for is not written, and secrets never', () => {
  const { logger, written } = logging('text')
  logger.log('debug', 'nothing')
  logger.log('error', 'cannot reach http://u:hunter2@node', { token: 'kc_dev_abcdefghijkl' })
  expect(written).toEqual([
    '1970-01-01T00:00:00.000Z error cannot reach http://u:[secret]@node request_id=req_1 token=[secret]\n',
  ])
})

test('a fact with a name that every line has stands beside it', () => {
  const { logger, written } = logging('json')
  logger.log('warn', 'looking failed', { code: 'NODE_TIMEOUT', message: 'no answer', level: 3 })
  const [line = ''] = written
  expect(line.match(/"message":/g)).toHaveLength(1)
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    message: 'looking failed',
    message_: 'no answer',
    level_: 3,
  })
})
