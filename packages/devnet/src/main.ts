#!/usr/bin/env node
import { runCommand } from './cli/run.ts'

const stop = new AbortController()
function onSignal(): void {
  // The first asks for a clean end; who asks twice does not want to wait for it.
  if (stop.signal.aborted) process.exit(130)
  stop.abort()
}
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
// A reader that went away is no failure of ours.
process.stdout.on('error', () => stop.abort())

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  signal: stop.signal,
})
