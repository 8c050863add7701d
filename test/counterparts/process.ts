import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'

/** Loopback ports that were free a moment ago; held together until all are known, so that no two are equal. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(
    servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

export interface Daemon {
  /** Ends it politely, and by force when it does not listen. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a program and resolves when a line of its output matches. Rejects with its last lines when it ends before. */
export function startDaemon(path: string, args: readonly string[], ready: RegExp): Promise<Daemon> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      running.delete(child)
      resolve()
    })
  })
  return new Promise((resolve, reject) => {
    let output = ''
    const stop = async () => {
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
      child.kill('SIGINT')
      await ended
      clearTimeout(force)
    }
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4_000)
      if (ready.test(output)) resolve({ stop })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('error', reject)
    void ended.then(() => reject(new TypeError(`${path} ended:\n${output}`)))
  })
}
