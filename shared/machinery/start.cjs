// Checks whether this computer has what the workshop needs, then runs the program named first: `start.cjs launcher/lesson 3`.
// Without a program it only checks, as before `npm test`.
// Old syntax on purpose: an old Node has to be able to read this file to say that it is too old.
// biome-ignore-start lint/style/useNodejsImportProtocol: an old Node does not know it
const { existsSync, readFileSync } = require("fs");
const nodeModule = require("module");
const { join, sep } = require("path");
// biome-ignore-end lint/style/useNodejsImportProtocol: as above

const found = process.versions.node;
if (Number(found.split(".")[0]) < 20) {
  stop(`The workshop needs Node 20 or newer, and this is ${found}: get one from https://nodejs.org`);
}
if (!existsSync(join(__dirname, "..", "..", "node_modules", "tsx"))) {
  stop("The workshop's packages are not installed yet: run npm install first.");
}
// Some packages bring a program for one system only: esbuild, for one, which everything here needs.
const native = join(__dirname, "..", "..", "node_modules", "@esbuild", `${process.platform}-${process.arch}`);
if (!existsSync(native) && !process.env.ESBUILD_BINARY_PATH) {
  stop(
    "The workshop's packages are incomplete, or were installed on another system:\ndelete the folder node_modules, then run npm install.",
  );
}
if (process.argv.length < 3) process.exit();

// Node 22 and later keep compiled code on disk: the next start is faster.
if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
// A program that the supervisor has started ends with its supervisor.
if (process.env.npm_lifecycle_event && !process.channel) endWithNpm(process.ppid);

// Nobody reads what is printed: the terminal is gone, or it was `npm run diff 3 4 | head`. A program that has more to end
// than itself, such as a lesson, listens by itself.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", () => {
    if (stream.listenerCount("error") === 1) process.exit();
  });

// tsx inside this process, since starting a second one takes time. Packages are JavaScript already: Node loads them itself.
const loadJavaScript = nodeModule._extensions[".js"];
require("tsx/cjs/api").register();
for (const extension of [".js", ".cjs"]) {
  const loadWithTsx = nodeModule._extensions[extension] || nodeModule._extensions[".js"];
  nodeModule._extensions[extension] = (module, file) => {
    if (!file.includes(`${sep}node_modules${sep}`)) return loadWithTsx(module, file);
    try {
      loadJavaScript(module, file);
    } catch (error) {
      // An ES module, which Node 20 cannot load in this way.
      if (error.code !== "ERR_REQUIRE_ESM") throw error;
      loadWithTsx(module, file);
    }
  };
}
const program = join(__dirname, `${process.argv[2]}.ts`);
process.argv.splice(1, 2, program);
require(program);

/** npm passes on every signal but SIGKILL: when it was killed, this process ends by itself. */
function endWithNpm(parent) {
  let npm = parent;
  // npm runs this in a shell, which may have stayed in between and would go on waiting.
  const look = (text) => {
    const [, pid, name] = /^ *(\d+) +(.*)/.exec(text) || [];
    if (pid && !/npm|node/.test(name)) npm = Number(pid);
  };
  if (process.platform === "linux") {
    const stat = `/proc/${parent}/stat`;
    const [, name, pid] =
      /^\d+ \((.*)\) \S+ (\d+)/.exec(existsSync(stat) ? readFileSync(stat, "utf8") : "") || [];
    look(`${pid} ${name}`);
  } else if (process.platform !== "win32") {
    // biome-ignore lint/style/useNodejsImportProtocol: as above
    require("child_process").execFile("ps", ["-o", "ppid=,comm=", "-p", String(parent)], (_, text) =>
      look(text),
    );
  }
  setInterval(() => {
    if (process.ppid === parent && isRunning(npm)) return;
    if (!process.emit("SIGTERM", "SIGTERM")) process.exit();
  }, 500).unref();
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

function stop(why) {
  console.error(why);
  process.exit(1);
}
