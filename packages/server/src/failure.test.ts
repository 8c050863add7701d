import { AssertionError, EngineError, REGISTRY } from '@kaccy/bitcoin/kernel'
import { expect, test } from 'vitest'
import { describeFailure, exitOf, failureJson, failureOf } from './failure.ts'

test('an error says code, reason, remedy and where to read on', () => {
  const error = new EngineError('NODE_UNREACHABLE', 'the node cannot be reached', {
    details: { reason: 'ECONNREFUSED' },
  })
  expect(describeFailure(failureOf(error), false)).toEqual([
    'NODE_UNREACHABLE: the node cannot be reached',
    '  facts    reason=ECONNREFUSED',
    '  remedy   retry: try again later; time heals it',
    '  more     docs/errors.md#node_unreachable',
  ])
  expect(failureJson(failureOf(error))).toMatchObject({ type: 'error', remedy: 'retry' })
})

test('a stack is shown only to those who ask', () => {
  const failure = failureOf(new AssertionError('a rule'))
  expect(describeFailure(failure, false).join('\n')).not.toContain('failure.test.ts')
  expect(describeFailure(failure, true).join('\n')).toContain('failure.test.ts')
})

test('exit codes tell scripts who has to act', () => {
  const codes = ['CONFIG_CONFLICT', 'USAGE_INVALID', 'NODE_TIMEOUT', 'CHAIN_WRONG_NETWORK']
  const more = ['STORE_UNAVAILABLE', 'STORE_SCHEMA_OLDER', 'SERVER_DATABASE_NETWORK']
  const api = ['API_UNREACHABLE', 'KEY_REVOKED', 'SCOPE_MISSING', 'KEY_PRIVATE']
  expect([...codes, ...more, ...api, 'SERVER_DRIFT'].map(exitOf)).toEqual([
    2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 1, 1,
  ])
  expect(
    Object.keys(REGISTRY)
      .map(exitOf)
      .every((exit) => exit >= 1 && exit <= 5),
  ).toBe(true)
})
