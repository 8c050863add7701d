// @ts-check
/**
 * The checkout page in somebody else's page: `<div data-kaccy-order="ord_…"></div>`, or `Kaccy.open('ord_…')`.
 * It knows its server by the address it was loaded from, and believes no message of anybody else.
 */
{
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript)
  if (!script) throw new TypeError('embed.js is a classic script: load it without type="module"')
  const base = new URL('.', script.src)
  const ORDER = /^ord_[0-9a-f]{32}$/
  const HEIGHT = 720

  /**
   * @typedef {object} Options
   * @property {'light' | 'dark'} [theme]
   * @property {string} [lang]
   * @property {(status: object) => void} [onStatus] every state of the order, the first one too
   * @property {() => void} [onClose]
   */

  /**
   * @param {string} order
   * @param {Options} options
   */
  const frameOf = (order, options) => {
    if (!ORDER.test(order)) throw new TypeError('not the id of an order')
    const url = new URL(order, base)
    url.searchParams.set('embed', '1')
    url.searchParams.set('origin', location.origin)
    if (options.theme) url.searchParams.set('theme', options.theme)
    if (options.lang) url.searchParams.set('lang', options.lang)
    const frame = document.createElement('iframe')
    frame.src = url.href
    frame.title = 'Bitcoin'
    frame.allow = 'clipboard-write'
    Object.assign(frame.style, {
      display: 'block',
      width: '100%',
      height: `${HEIGHT}px`,
      border: '0',
      borderRadius: '14px',
    })
    return frame
  }

  /**
   * @param {HTMLIFrameElement} frame
   * @param {string} order
   * @param {Record<string, (value: any) => void>} handlers
   */
  const listen = (frame, order, handlers) => {
    /** @param {MessageEvent} event */
    const onMessage = (event) => {
      if (event.origin !== base.origin || event.source !== frame.contentWindow) return
      const { type, order: about, status, height } = Object(event.data)
      if (about !== order) return
      if (type === 'kaccy:status') handlers['status']?.(status)
      if (type === 'kaccy:height' && Number.isFinite(height)) handlers['height']?.(height)
    }
    addEventListener('message', onMessage)
    return () => removeEventListener('message', onMessage)
  }

  /**
   * Shows an order inside an element, which then gets `kaccy:status` events with the status as their detail.
   * @param {HTMLElement} element
   * @param {string} order
   * @param {Options} [options]
   */
  const mount = (element, order, options = {}) => {
    const frame = frameOf(order, options)
    const deafen = listen(frame, order, {
      status(status) {
        element.dispatchEvent(new CustomEvent('kaccy:status', { detail: status, bubbles: true }))
        options.onStatus?.(status)
      },
      height(height) {
        frame.style.height = `${Math.min(Math.max(height, 200), 4_000)}px`
      },
    })
    element.replaceChildren(frame)
    return {
      close() {
        deafen()
        frame.remove()
      },
    }
  }

  /**
   * Shows an order above the page, until it is closed.
   * @param {string} order
   * @param {Options} [options]
   */
  const open = (order, options = {}) => {
    const frame = frameOf(order, options)
    const dialog = document.createElement('dialog')
    dialog.setAttribute('aria-label', frame.title)
    Object.assign(dialog.style, {
      position: 'fixed',
      inset: '0',
      width: '100vw',
      maxWidth: 'none',
      height: '100dvh',
      maxHeight: 'none',
      margin: '0',
      padding: '16px',
      border: '0',
      boxSizing: 'border-box',
      overflow: 'auto',
      background: 'rgb(10 12 16 / 62%)',
    })
    const box = document.createElement('div')
    Object.assign(box.style, { maxWidth: '440px', margin: '0 auto' })
    const button = closeButton()
    box.append(button, frame)
    dialog.append(box)
    const deafen = listen(frame, order, {
      status: (status) => options.onStatus?.(status),
      height(height) {
        frame.style.height = `${Math.min(Math.max(height, 200), 4_000)}px`
      },
    })
    const overflow = document.documentElement.style.overflow
    document.documentElement.style.overflow = 'hidden'
    button.addEventListener('click', () => dialog.close())
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close()
    })
    dialog.addEventListener('close', () => {
      deafen()
      dialog.remove()
      document.documentElement.style.overflow = overflow
      options.onClose?.()
    })
    document.body.append(dialog)
    dialog.showModal()
    return { close: () => dialog.close() }
  }

  const closeButton = () => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = '\u00d7'
    button.setAttribute(
      'aria-label',
      document.documentElement.lang.startsWith('de') ? 'Schließen' : 'Close',
    )
    Object.assign(button.style, {
      display: 'block',
      width: '44px',
      height: '44px',
      margin: '0 0 8px auto',
      border: '0',
      borderRadius: '50%',
      background: 'rgb(10 12 16 / 72%)',
      color: '#ffffff',
      font: '24px/44px system-ui, sans-serif',
      cursor: 'pointer',
    })
    return button
  }

  const mountAll = () => {
    for (const element of document.querySelectorAll('[data-kaccy-order]')) {
      if (!(element instanceof HTMLElement) || element.querySelector('iframe')) continue
      const { kaccyOrder = '', kaccyTheme, kaccyLang } = element.dataset
      mount(element, kaccyOrder, {
        ...(kaccyTheme === 'light' || kaccyTheme === 'dark' ? { theme: kaccyTheme } : {}),
        ...(kaccyLang ? { lang: kaccyLang } : {}),
      })
    }
  }
  Object.defineProperty(window, 'Kaccy', {
    value: Object.freeze({ open, mount }),
    enumerable: true,
  })
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', mountAll)
  else mountAll()
}
