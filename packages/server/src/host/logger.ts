import type { Details, Logger } from '@kaccy/bitcoin/kernel'
import { pino } from 'pino'
import { redact, redactText } from '../operations/redact.ts'
import type { Output } from '../shell.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]
export const isLogLevel = (text: string): text is LogLevel =>
  (LEVELS as readonly string[]).includes(text)

export interface LoggerOptions {
  readonly output: Output
  readonly least: LogLevel
  readonly form: 'text' | 'json'
  readonly now: () => number
  /** What every line carries besides: the request and the trace that it belongs to. */
  readonly context?: () => Details
}

/**
 * One line for each entry, whatever stands in it: text for people, JSON for programs. Secrets are taken out by their names
 * and by their form, and control characters cannot make a second line or move a terminal's cursor.
 */
export function createLogger({ output, least, form, now, context }: LoggerOptions): Logger {
  const write = form === 'json' ? jsonLines(output, now) : textLines(output, now)
  const threshold = LEVELS.indexOf(least)
  return {
    log(level, message, details = {}) {
      if (LEVELS.indexOf(level) < threshold) return
      const facts = redact({ ...context?.(), ...details }) as Readonly<Record<string, unknown>>
      write(level, redactText(message), facts)
    },
  }
}

type Write = (level: LogLevel, message: string, facts: Readonly<Record<string, unknown>>) => void

function jsonLines(output: Output, now: () => number): Write {
  const lines = pino(
    {
      level: 'debug',
      base: { type: 'log' },
      messageKey: 'message',
      timestamp: () => `,"at":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void output.write(line) },
  )
  return (level, message, facts) => lines[level](apart(facts), message)
}

/** Names that every line has already; a name that stood twice would mean one thing to one reader and another to the next. */
const TAKEN: readonly string[] = ['type', 'at', 'level', 'message']
const apart = (facts: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [TAKEN.includes(name) ? `${name}_` : name, value]),
  )

function textLines(output: Output, now: () => number): Write {
  return (level, message, facts) => {
    const at = new Date(now()).toISOString()
    const told = Object.entries(facts).map(([name, value]) => ` ${name}=${textOf(value)}`)
    output.write(`${escaped(`${at} ${level.padEnd(5)} ${message}${told.join('')}`)}\n`)
  }
}

const textOf = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value)

/** Line breaks, escape sequences, and what turns the direction of text around. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu
const escaped = (text: string): string =>
  text.replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
