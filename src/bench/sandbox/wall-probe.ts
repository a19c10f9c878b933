import net from 'node:net'

/** Started behind walls that are to be tried: says whether the port of its parent, on this machine, can be reached. */
const socket = net.connect(Number(process.argv[2]), '127.0.0.1')
socket.once('connect', () => {
  console.log('the network')
  socket.destroy()
})
socket.once('error', () => {
  console.log('nothing')
})
