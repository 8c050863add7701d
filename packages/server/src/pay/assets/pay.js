// @ts-check
/**
 * Keeps the page up to date. The server has written everything that is shown; this follows the order, fetches the page
 * again when something changed and puts the changed parts in place. Without it the page is the same, standing still.
 */

/** Longest pause between two looks when events do not come through. */
const POLL_MS = [3_000, 5_000, 10_000, 20_000, 30_000]
const COPIED_MS = 2_000
const URGENT_MS = 120_000
/** The server speaks every 15 seconds; what is silent for longer is dead, or held back on the way. */
const SILENT_MS = 40_000

const main = /** @type {HTMLElement} */ (document.querySelector('main#pay'))
const live = /** @type {HTMLElement} */ (document.querySelector('#live'))
const offline = /** @type {HTMLElement} */ (document.querySelector('#offline'))
const order = main.dataset['order'] ?? ''
const around = main.dataset['parent'] ?? ''
/** @param {string} what */
const at = (what) => new URL(`${order}/${what}`, location.href)

/** @type {Map<string, string>} what the server wrote, by part; the page itself is changed by the countdown */
const written = new Map()
for (const part of main.querySelectorAll('[data-part]')) written.set(nameOf(part), part.outerHTML)
/** @param {Element} part */
function nameOf(part) {
  return part.getAttribute('data-part') ?? ''
}

/* Countdown: by the server's clock. Only how long ago it spoke is measured here. */

/** @type {number | undefined} in the time of `performance.now()` */
let endsAt
let isWarned = false
setEnd(main.dataset['expiresIn'] ? Number(main.dataset['expiresIn']) : undefined)

/** @param {number | null | undefined} left milliseconds */
function setEnd(left) {
  endsAt = left === null || left === undefined ? undefined : performance.now() + left
  countDown()
}
function countDown() {
  const shown = document.querySelector('#deadline')
  if (!shown || endsAt === undefined) return
  const left = Math.max(0, endsAt - performance.now())
  const words = main.dataset
  shown.textContent = left > 0 ? `${words['timeLeft']} ${clockText(left)}` : `${words['timeOver']}`
  const bar = document.querySelector('progress')
  const whole = Number(words['lifetime'])
  if (bar && whole > 0) bar.value = Math.min(1, left / whole)
  const isUrgent = left <= URGENT_MS
  shown.closest('.deadline')?.toggleAttribute('data-urgent', isUrgent)
  if (isUrgent && left > 0 && !isWarned) say(shown.textContent)
  isWarned = isUrgent
}
/** @param {number} milliseconds */
function clockText(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000)
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24]
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0')
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  if (days > 0) return `${days}d ${two(hours)}:${clock}`
  return hours > 0 ? `${hours}:${clock}` : clock
}
let isOver = false
let heardAt = performance.now()
setInterval(() => {
  countDown()
  const isOverNow = endsAt !== undefined && performance.now() > endsAt + 1_000
  if (isOverNow && !isOver) void look()
  isOver = isOverNow
  const isFinal = main.dataset['final'] === 'yes'
  if (!isFinal && performance.now() - heardAt > SILENT_MS) void look()
}, 1_000)

/* What changed. */

/** @param {string | null | undefined} text */
function say(text) {
  live.textContent = text ?? ''
}

/** @param {{ revision: string, expires_in_ms: number | null, final: boolean, phase: string }} status */
async function take(status) {
  setEnd(status.expires_in_ms)
  tell({ type: 'kaccy:status', order, status })
  if (status.revision !== main.dataset['revision']) await refresh()
  if (status.final) stop()
}

let isRefreshing = false
let isStale = false
async function refresh() {
  isStale = true
  if (isRefreshing) return
  isRefreshing = true
  try {
    while (isStale) {
      isStale = false
      const answer = await fetch(location.href, { cache: 'no-store' })
      if (!answer.ok) throw new TypeError(`the page answers ${answer.status}`)
      place(new DOMParser().parseFromString(await answer.text(), 'text/html'))
    }
  } catch {
    // The next look finds the old revision on the page and comes here again.
    failures += 1
    plan()
  } finally {
    isRefreshing = false
  }
}

/** @param {Document} fresh */
function place(fresh) {
  const next = /** @type {HTMLElement | null} */ (fresh.querySelector('main#pay'))
  if (!next) return
  document.title = fresh.title
  for (const name of ['phase', 'revision', 'final', 'lifetime'])
    main.dataset[name] = next.dataset[name] ?? ''
  const before = headline()
  for (const part of main.querySelectorAll('[data-part]')) {
    const name = nameOf(part)
    const other = next.querySelector(`[data-part="${name}"]`)
    if (!other || other.outerHTML === written.get(name)) continue
    written.set(name, other.outerHTML)
    swap(part, /** @type {Element} */ (document.importNode(other, true)))
  }
  countDown()
  if (headline() !== before) say(headline())
}
const headline = () =>
  [...main.querySelectorAll('#status-title, .status-text, .notice h3')]
    .map((element) => element.textContent)
    .join('. ')

/**
 * Puts a part in place of its older self; who was in it with the keyboard stays where they were.
 * @param {Element} old
 * @param {Element} fresh
 */
function swap(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : undefined
  const isOpen = old.querySelector('details')?.open === true
  const details = fresh.querySelector('details')
  if (details && isOpen) details.open = true
  old.replaceWith(fresh)
  if (!focused) return
  const same = focused.id === '' ? null : document.getElementById(focused.id)
  const target =
    same ??
    (focused.matches('summary')
      ? main.querySelector('summary')
      : null) /** @type {HTMLElement | null} */
  ;(target ?? main.querySelector('#status-title'))?.focus()
}

/* Following: events where they come through, looks where they do not. */

/** @type {EventSource | undefined} */
let events
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
let failures = 0

/** @param {boolean} isNow */
function setOffline(isNow) {
  if (offline.hidden !== isNow) return
  offline.hidden = !isNow
}
async function look() {
  unplan()
  heardAt = performance.now()
  try {
    const answer = await fetch(at('status'), { cache: 'no-store' })
    if (!answer.ok) throw new TypeError(`the status answers ${answer.status}`)
    failures = 0
    setOffline(false)
    await take(await answer.json())
  } catch {
    // Servers restart and trains have tunnels: it is tried again, and said only when it lasts.
    failures += 1
    if (failures > 1) setOffline(true)
  }
  const isHeard = failures === 0 && events?.readyState === EventSource.OPEN
  if (main.dataset['final'] !== 'yes' && !isHeard) plan()
}
/** Once is enough: a browser that fails to connect says so more often than looks are due. */
function plan() {
  timer ??= setTimeout(() => void look(), POLL_MS[Math.min(failures, POLL_MS.length - 1)])
}
function unplan() {
  clearTimeout(timer)
  timer = undefined
}
function follow() {
  events?.close()
  events = new EventSource(at('events'))
  const hear = () => {
    heardAt = performance.now()
    failures = 0
    unplan()
    setOffline(false)
  }
  events.addEventListener('time', hear)
  events.addEventListener('status', (event) => {
    hear()
    void take(JSON.parse(event.data))
  })
  events.addEventListener('end', stop)
  // While the browser connects again by itself, and when it has given up, looks take over.
  events.addEventListener('error', plan)
}
function stop() {
  events?.close()
  events = undefined
  unplan()
}
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible' || main.dataset['final'] === 'yes') return
  if (events?.readyState === EventSource.CLOSED) follow()
  // The device may have slept, and its clocks with it.
  void look()
})
addEventListener('pagehide', stop)
addEventListener('pageshow', (event) => {
  if (event.persisted) start()
})
function start() {
  if (main.dataset['final'] === 'yes') {
    void look()
    return
  }
  follow()
  plan()
}

/* Copying. */

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Without HTTPS, or in a frame that was not allowed to: the old way, over a selection.
    const field = document.createElement('textarea')
    field.value = text
    field.readOnly = true
    field.className = 'unseen'
    main.append(field)
    field.select()
    const isDone = document.execCommand('copy')
    field.remove()
    return isDone
  }
}
main.addEventListener('click', async (event) => {
  const target = /** @type {Element} */ (event.target)
  const button = /** @type {HTMLElement | null} */ (target.closest('[data-copy]'))
  if (!button) return
  const isDone = await copy(button.dataset['copy'] ?? '')
  button.focus()
  const word = main.dataset[isDone ? 'copied' : 'copyFailed'] ?? ''
  say(word)
  button.toggleAttribute('data-done', isDone)
  const hint = button.matches('.qr')
    ? button.parentElement?.querySelector('[data-hint]')
    : undefined
  const text = hint?.textContent
  if (hint && text !== word) hint.textContent = word
  setTimeout(() => {
    button.removeAttribute('data-done')
    if (hint && text !== undefined && text !== word) hint.textContent = text
    if (live.textContent === word) say('')
  }, COPIED_MS)
})

/* The page around the frame: only the origin that the server allowed is told. */

/** @param {object} message */
function tell(message) {
  if (around !== '' && parent !== window) parent.postMessage(message, around)
}
if (around !== '' && parent !== window)
  new ResizeObserver(() => {
    tell({ type: 'kaccy:height', order, height: Math.ceil(document.body.scrollHeight) })
  }).observe(document.body)

start()
