// A small client: commands out, replies in, in order.

import net from 'node:net';

export function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  const waiting = [];
  let bytes = Buffer.alloc(0);
  let broken = null;
  socket.setNoDelay(true);
  socket.on('data', (more) => {
    bytes = bytes.length > 0 ? Buffer.concat([bytes, more]) : more;
    let at = 0;
    for (;;) {
      const reply = parse(bytes, at);
      if (reply === null) break;
      at = reply.next;
      const { resolve, reject } = waiting.shift();
      if (reply.value instanceof Error) reject(reply.value); else resolve(reply.value);
    }
    bytes = bytes.subarray(at);
  });
  const end = (error) => {
    broken = error ?? new Error('the connection to the server was closed');
    waiting.splice(0).forEach(({ reject }) => reject(broken));
  };
  socket.on('error', end);
  socket.on('close', () => end());

  return {
    send(...words) {
      if (broken) return Promise.reject(broken);
      const parts = words.map((word) => Buffer.from(String(word)));
      socket.write(Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')])]));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => socket.destroy(),
  };
}

/** The reply that begins at `at`, and where the next one does; null where it isn't all there. */
function parse(bytes, at) {
  const eol = bytes.indexOf('\r\n', at);
  if (eol < 0) return null;
  const line = bytes.toString('utf8', at + 1, eol);
  const next = eol + 2;
  switch (String.fromCharCode(bytes[at])) {
    case '+': return { value: line, next };
    case '-': return { value: new Error(line), next };
    case ':': return { value: Number(line), next };
    case '$': {
      const size = Number(line);
      if (size < 0) return { value: null, next };
      return bytes.length < next + size + 2 ? null : { value: bytes.toString('utf8', next, next + size), next: next + size + 2 };
    }
    case '*': {
      const value = [];
      let from = next;
      for (let left = Number(line); left > 0; left -= 1) {
        const item = parse(bytes, from);
        if (item === null) return null;
        value.push(item.value);
        from = item.next;
      }
      return { value, next: from };
    }
    default: throw new Error(`not a reply: ${line}`);
  }
}
