// Making elements. Names and items come from outside: they only ever become text and attributes, never markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `h('td.number', { title }, 'text', child)`. Functions are listeners; nothing, false and null are left out. */
export function h(name, properties, ...children) {
  return build(document.createElement(name.split('.')[0]), name, properties, children);
}

/** The same for drawings. */
export function s(name, properties, ...children) {
  return build(document.createElementNS(SVG, name.split('.')[0]), name, properties, children);
}

function build(element, name, properties, children) {
  const classes = name.split('.').slice(1);
  if (classes.length > 0) element.setAttribute('class', classes.join(' '));
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (key === 'class') element.setAttribute('class', [...classes, value].join(' '));
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** Puts these in place of what an element holds, keeping the focus where it has an `id` or `data-keep`. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const mark = focused?.dataset.keep;
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  if (mark) [...element.querySelectorAll('[data-keep]')].find((other) => other.dataset.keep === mark)?.focus();
}

/** Sets text only where it differs: less work for the browser, and for readers of the page. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Once before the next picture, however often it is asked for. */
export function beforeNextPicture(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; work(); });
  };
}
