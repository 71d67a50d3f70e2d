"""Load folders of TMDL with Microsoft's own loader, and print what it finds, a line of JSON each.

Run by test_power_bi.py in an environment of its own. .NET is found in a Python package.
"""

import json
import sys
import sysconfig
import tempfile
from pathlib import Path

import pythonnet
from clr_loader import get_coreclr

packages = Path(sysconfig.get_paths()["purelib"])
with tempfile.TemporaryDirectory() as folder:
    settings = Path(folder) / "runtimeconfig.json"
    framework = {"name": "Microsoft.NETCore.App", "version": "8.0.0"}
    settings.write_text(json.dumps({"runtimeOptions": {"tfm": "net8.0", "framework": framework}}))
    root = packages / "dnv" / "net" / "runtime" / ".net"
    pythonnet.set_runtime(get_coreclr(runtime_config=str(settings), dotnet_root=str(root)))
    import clr

for name in ("Core", "Tabular.Json", "Tabular"):
    clr.AddReference(str(packages / "sempy" / "lib" / f"Microsoft.AnalysisServices.{name}.dll"))
from Microsoft.AnalysisServices.Tabular import JsonSerializer, TmdlSerializer  # noqa: E402

for folder in sys.argv[1:]:
    try:
        database = TmdlSerializer.DeserializeDatabaseFromFolder(folder)
        errors = [error.Message for error in database.Model.Validate().Errors]
        model = json.loads(JsonSerializer.SerializeDatabase(database))["model"]
    except Exception as error:
        errors, model = [" ".join(str(error).split())], None
    print(json.dumps({"errors": errors, "model": model}))
