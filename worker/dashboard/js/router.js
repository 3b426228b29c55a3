// Which page is shown: the part of the address after `#`, so that any server and proxy can serve the page.

/** The address of a page: `to('monitors', name)`. */
export const to = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;

/** The page's name and what it is about. */
export function where(hash = location.hash) {
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map(decoded);
  return { page: parts[0] || 'monitors', about: parts.slice(1).join('/'), query: new URLSearchParams(query) };
}

function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

/** Keeps a choice in the address, without a step in the history. */
export function keep(name, value) {
  const [path, query] = location.hash.split('?');
  const asked = new URLSearchParams(query);
  if (value) asked.set(name, value); else asked.delete(name);
  const tail = asked.toString();
  history.replaceState(null, '', `${path || '#/'}${tail && `?${tail}`}`);
}
