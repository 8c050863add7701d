import { type ChildProcess, spawn } from 'node:child_process'
import { expect } from 'vitest'

const running = new Set<ChildProcess>()

/** Ends what is still running, after a test that failed. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * Starts one process of a race with its errand; resolves when it is ready. `begin` lets it go and resolves with what it
 * prints at its end, as JSON.
 */
export async function startRacer<Report>(
  program: URL,
  errand: unknown,
): Promise<{ readonly begin: () => Promise<Report> }> {
  const child = spawn(
    process.execPath,
    ['--conditions=@kaccy/source', program.pathname, JSON.stringify(errand)],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  running.add(child)
  let output = ''
  let faults = ''
  let isReady = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
    if (output.startsWith('ready\n')) isReady()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    faults += chunk.toString('utf8')
  })
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  await Promise.race([ready, ended.then(() => expect(faults).toBe(''))])
  return {
    begin: async () => {
      child.stdin.write('go\n')
      expect([await ended, faults]).toEqual([0, ''])
      return JSON.parse(output.slice('ready\n'.length))
    },
  }
}
