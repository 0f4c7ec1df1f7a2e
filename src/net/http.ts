/**
 * Node's http, without its ES module: that one names all exports at once, WebSocket among them, and so loads the whole of
 * fetch (undici) with 14 MB of resident memory.
 */
export const http = process.getBuiltinModule('node:http');
