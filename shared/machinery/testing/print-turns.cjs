// Loaded into a server before its own code: prints in which turn of the event loop it writes each long piece of data.
const { Socket } = require("node:net");

let turn = 0;
function count() {
  turn++;
  setImmediate(count);
}
count();

const { write } = Socket.prototype;
Socket.prototype.write = function (data, ...more) {
  if (data.length > 1_000) console.log(`a long write in turn ${turn}`);
  return write.call(this, data, ...more);
};
