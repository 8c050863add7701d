import { type Details, EngineError, type ErrorCode, REGISTRY } from '@kaccy/bitcoin/kernel'
import type { Problem } from '../../http/problem.ts'

/** Beginning of an answer that is shown when it is none of ours. */
const SHOWN = 120

/** The error that an answer other than 2xx stands for: the same code as if it had happened in this process. */
export function errorOfAnswer(status: number, text: string, where: string): EngineError {
  const problem = readProblem(text)
  if (!problem || !isCode(problem.code)) return unreadable(`${where} answered ${status}`, text)
  const { code, detail, param, facts = {} } = problem
  const details: Details = { ...facts, ...(param === undefined ? {} : { param }) }
  // What failed inside a server is told in its log; the id finds it there.
  const named =
    code === 'SERVER_INTERNAL' ? { ...details, request_id: problem.request_id } : details
  return new EngineError(code, detail, { details: named })
}

/** An answer that cannot be one of this API: another server, or a proxy in between. */
export function unreadable(what: string, text: string): EngineError {
  const start = text.slice(0, SHOWN).replace(/\s+/g, ' ').trim()
  const said = start === '' ? 'nothing' : `"${start}"`
  return new EngineError('API_ANSWER_UNREADABLE', `${what} with ${said}: that is not this API`)
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(REGISTRY, code)

function readProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { code, detail } = value as Partial<Record<keyof Problem, unknown>>
    return typeof code === 'string' && typeof detail === 'string' ? (value as Problem) : undefined
  } catch {
    // Not JSON: no problem of ours.
    return undefined
  }
}
