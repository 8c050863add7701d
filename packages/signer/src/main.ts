#!/usr/bin/env node
import { readFileSync, realpathSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { runProgram } from './cli/program.ts'

/** A stream that shows nothing: readline would echo a passphrase on its output. */
const silent = new Writable({ write: (_chunk, _encoding, done) => done() })

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  process.stderr.write(question)
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await reader.question('')
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}

async function main(): Promise<void> {
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.exitCode = await runProgram(process.argv.slice(2), {
    write: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    environment: process.env,
    ask,
    readInput: () => readFileSync(0),
    stop: stop.signal,
  })
  process.removeListener('SIGINT', onSignal)
  process.removeListener('SIGTERM', onSignal)
}

const entry = process.argv[1]
if (entry !== undefined && realpathSync(entry) === fileURLToPath(import.meta.url)) await main()
