// Parse formulas of Power Query (M) with Microsoft's own parser; prints a line of JSON each.
const parser = require("@microsoft/powerquery-parser");

(async () => {
  for (const text of JSON.parse(process.argv[2])) {
    const task = await parser.TaskUtils.tryLexParse(parser.DefaultSettings, text);
    const isParsed = parser.TaskUtils.isParseStageOk(task);
    console.log(JSON.stringify(isParsed ? null : task.error.message));
  }
})();
