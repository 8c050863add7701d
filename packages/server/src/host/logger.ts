import type { Logger } from '@kaccy/bitcoin/kernel'
import type { Output } from '../shell.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
export const isLogLevel = (text: string): text is LogLevel =>
  (LEVELS as readonly string[]).includes(text)

/** One line for each entry: text for people, JSON for programs. Callers pass plain values only, see `Logger`. */
export function createLogger(
  output: Output,
  least: LogLevel,
  form: 'text' | 'json',
  now: () => number,
): Logger {
  const threshold = LEVELS.indexOf(least)
  return {
    log(level, message, details = {}) {
      if (LEVELS.indexOf(level) < threshold) return
      const at = new Date(now()).toISOString()
      if (form === 'json') {
        output.write(`${JSON.stringify({ type: 'log', at, level, message, ...details })}\n`)
        return
      }
      const facts = Object.entries(details).map(([name, value]) => ` ${name}=${value}`)
      output.write(`${at} ${level.padEnd(5)} ${message}${facts.join('')}\n`)
    },
  }
}
