use coroner_model::{ContentHash, Document, Redactor};

use super::{loads_dotenv, read};

fn document(path: &str, text: &str) -> Document {
    Document {
        path: format!("files/app/{path}"),
        observed_at: None,
        host: String::new(),
        text: Redactor::new([3; 32]).redact(text),
        hash: ContentHash::sha256(text.as_bytes()),
        bytes_left_out: 0,
        first_line: 1,
    }
}

fn defaults(path: &str, text: &str) -> Vec<(String, Option<String>)> {
    read(&document(path, text)).into_iter().filter(|r| !r.development_only).map(|r| (r.variable, r.default)).collect()
}

fn one(path: &str, text: &str) -> Option<String> {
    let all = defaults(path, text);
    all.iter().find(|(v, _)| v == "DB_URL").unwrap_or_else(|| panic!("no DB_URL in {all:?} of {text}")).1.clone()
}

#[test]
fn python_spellings() {
    for text in [
        "import os\nx = os.getenv('DB_URL', 'd')\n",
        "import os\ntry:\n    x = os.environ['DB_URL']\nexcept KeyError:\n    x = 'd'\n",
        "import os\nx = os.getenv('DB_URL', default='d')\n",
        "import os\nx = os.environ.get(\"DB_URL\", \"d\")\n",
        "import os as o\nx = o.environ.get('DB_URL') or 'd'\n",
        "from os import environ\nx = environ.get('DB_URL', 'd')\n",
        "from os import getenv as g\nx = g('DB_URL', 'd')\n",
        "from os import environ as e\nx = e.get('DB_URL') or ('d')\n",
        "import os\nD = 'd'\nx = os.getenv('DB_URL', D)\n",
        "import os\nx = os.environ['DB_URL'] if 'DB_URL' in os.environ else 'd'\n",
        "import os\nx = os.getenv('DB_URL')\nif not x:\n    x = 'd'\n",
        "from decouple import config\nx = config('DB_URL', default='d')\n",
        "env = Env()\nx = env.str('DB_URL', 'd')\n",
        "class S(BaseSettings):\n    db_url: str = 'd'\n",
        "from pydantic_settings import BaseSettings as B\nclass S(B):\n    db_url: str = Field('d')\n",
        "class S(pydantic.BaseSettings):\n    url: str = Field(default='d', env='DB_URL')\n",
        "class S(BaseSettings):\n    url: SecretStr = Field(default=SecretStr('d'), validation_alias=AliasChoices('DB_URL', 'OTHER'))\n",
        "class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='DB_')\n    url: str = 'd'\n",
        "class A(BaseSettings):\n    pass\nclass S(A):\n    db_url: str = 'd'\n    class Config:\n        case_sensitive = False\n",
    ] {
        assert_eq!(one("settings.py", text).as_deref(), Some("d"), "{text}");
    }
    assert_eq!(
        one("s.py", "import os\nH = os.getenv('H', 'db')\nx = os.getenv('DB_URL', f'postgres://u:changeme@{H}/x')\n")
            .unwrap(),
        "postgres://u:changeme@db/x"
    );
    assert_eq!(one("s.py", "import os\nx = os.getenv('DB_URL', 'a' 'b' + 'c')\n").unwrap(), "abc");
}

#[test]
fn python_neighbours() {
    assert_eq!(one("s.py", "import os\nx = os.environ['DB_URL']\n"), None);
    assert_eq!(one("s.py", "import os\nx = os.getenv('DB_URL')\n"), None);
    assert_eq!(one("s.py", "class S(BaseSettings):\n    db_url: str\n"), None);
    assert_eq!(defaults("s.py", "# os.getenv('DB_URL', 'd')\n'''os.getenv('DB_URL', 'd')'''\n"), []);
    assert_eq!(defaults("s.py", "class S(BaseModel):\n    db_url: str = 'd'\nx = cache.get('DB_URL', 'd')\n"), []);
    let development = "import os\nif os.getenv('ENV') == 'development':\n    x = os.getenv('DB_URL', 'd')\nelse:\n    x = os.environ['DB_URL']\n";
    assert_eq!(one("s.py", development), None);
}

#[test]
fn other_languages() {
    for (path, text) in [
        ("a.js", "const x = process.env.DB_URL || 'd';"),
        ("a.ts", "export const x = process.env.DB_URL ?? \"d\";"),
        ("a.js", "const x = process.env['DB_URL'] || `d`"),
        ("a.js", "const { PORT = '1', DB_URL = 'd' } = process.env;"),
        ("a.js", "const { DB_URL: url = 'd' } = process.env;"),
        ("a.js", "const D = 'd';\nconst x = process.env.DB_URL || D;"),
        ("a.js", "let x = process.env.DB_URL;\nif (!x) {\n  x = 'd';\n}"),
        ("a.js", "const x = getEnv('DB_URL', 'd');"),
        ("a.ts", "const s = z.object({ DB_URL: z.string().url().default('d') });"),
        ("a.ts", "cleanEnv(process.env, { DB_URL: str({ default: 'd' }) })"),
        ("a.sh", "URL=${DB_URL:-d}\n"),
        ("a.sh", ": \"${DB_URL:=d}\"\n"),
        ("run", "#!/bin/sh\nexec app --db \"${DB_URL:-'d'}\"\n"),
        ("a.go", "x := os.Getenv(\"DB_URL\")\nif x == \"\" {\n\tx = \"d\"\n}\n"),
        ("a.go", "x := getenvDefault(\"DB_URL\", \"d\")"),
        ("a.go", "type C struct {\n\tURL string `env:\"DB_URL\" envDefault:\"d\"`\n}"),
        ("a.go", "x, ok := os.LookupEnv(\"DB_URL\")\nif !ok {\n\tx = \"d\"\n}\n"),
        ("a.go", "if v := os.Getenv(\"DB_URL\"); v != \"\" {\n\treturn v\n}\nreturn \"d\"\n"),
        ("a.go", "if v, ok := os.LookupEnv(\"DB_URL\"); ok {\n\treturn v\n}\nreturn \"d\"\n"),
        ("a.go", "viper.AutomaticEnv()\nviper.SetDefault(\"db_url\", \"d\")\n"),
        ("a.go", "v := viper.New()\nv.SetEnvPrefix(\"db\")\nv.AutomaticEnv()\nv.SetDefault(\"url\", \"d\")\n"),
        ("a.go", "viper.SetDefault(\"store.url\", \"d\")\nviper.BindEnv(\"store.url\", \"DB_URL\")\n"),
        ("config/database.yml", "production:\n  url: <%= ENV.fetch(\"DB_URL\", \"d\") %>\n"),
        ("a.rb", "x = ENV.fetch('DB_URL', 'd')"),
        ("a.rb", "x = ENV.fetch(\"DB_URL\") { 'd' }"),
        ("a.rb", "x = ENV['DB_URL'] || 'd'"),
        ("a.php", "$x = getenv('DB_URL') ?: 'd';"),
        ("a.php", "$x = $_ENV['DB_URL'] ?? 'd';"),
        ("a.php", "'url' => env('DB_URL', 'd'),"),
        ("a.properties", "x.y=${DB_URL:d}"),
        ("application.yml", "x:\n  y: ${DB_URL:d}\n"),
        ("application.properties", "db.url=d"),
        ("a.rs", "let x = std::env::var(\"DB_URL\").unwrap_or_else(|_| \"d\".into());"),
        ("a.cs", "var x = Environment.GetEnvironmentVariable(\"DB_URL\") ?? \"d\";"),
        ("Dockerfile", "FROM a\nENV A=1 \\\n    DB_URL=d\n"),
        ("Dockerfile", "FROM a\nENV DB_URL d\n"),
    ] {
        assert_eq!(one(path, text).as_deref(), Some("d"), "{path}: {text}");
    }
}

#[test]
fn the_other_branch_of_a_test_is_a_default() {
    for (path, text) in [
        ("a.js", "const x = process.env.DB_URL ? process.env.DB_URL : 'd'"),
        ("a.java", "x = System.getenv(\"DB_URL\") != null ? System.getenv(\"DB_URL\") : \"d\";"),
        ("a.php", "$x = isset($_ENV['DB_URL']) ? $_ENV['DB_URL'] : 'd';"),
    ] {
        assert!(defaults(path, text).contains(&("DB_URL".to_owned(), Some("d".to_owned()))), "{path}: {text}");
    }
    let other = "const x = process.env.DB_URL ? connect(process.env.DB_URL) : 'd'";
    assert!(defaults("a.js", other).iter().all(|(_, d)| d.is_none()));
}

#[test]
fn a_default_that_production_never_reaches_is_for_development() {
    for (path, text) in [
        ("s.py", "if os.environ.get('MODE', 'production') in ('dev', 'local'):\n    x = os.getenv('DB_URL', 'd')\n"),
        ("s.py", "if os.environ['MODE'] == 'production':\n    raise RuntimeError()\nx = os.getenv('DB_URL', 'd')\n"),
        (
            "a.js",
            "let x = process.env.DB_URL\nif (!x) {\n  if (MODE === 'production') throw new Error('x')\n  x = 'd'\n}",
        ),
        ("a.js", "const x = process.env.DB_URL || 'd'\nif (isProduction && !process.env.DB_URL) throw new Error('x')"),
        (
            "a.go",
            "x := os.Getenv(\"DB_URL\")\nif x == \"\" && mode == \"production\" {\n\tlog.Fatal(\"no\")\n}\nif x == \"\" {\n\tx = \"d\"\n}",
        ),
        ("config/database.yml", "development:\n  url: <%= ENV.fetch(\"DB_URL\", \"d\") %>\n"),
    ] {
        let text = if path == "s.py" { format!("import os\n{text}") } else { text.to_owned() };
        assert!(defaults(path, &text).iter().all(|(v, d)| v != "DB_URL" || d.is_none()), "{path}: {text}");
    }
    for (path, text) in [
        (
            "s.py",
            "import os\nif os.environ['MODE'] == 'staging':\n    raise RuntimeError()\nx = os.getenv('DB_URL', 'd')\n",
        ),
        ("a.js", "if (MODE === 'production') throw new Error('x')\n\nconst x = process.env.DB_URL || 'd'"),
        ("a.js", "let x = process.env.DB_URL\nif (!x) {\n  if (MODE === 'production') warn('x')\n  x = 'd'\n}"),
    ] {
        assert_eq!(one(path, text).as_deref(), Some("d"), "{path}: {text}");
    }
}

#[test]
fn source_that_loads_a_dotenv_file_says_so() {
    let loads = |text: &str| loads_dotenv(&document("a.py", text));
    for text in [
        "load_dotenv()",
        "require('dotenv').config()",
        "import 'dotenv/config'",
        "godotenv.Load()",
        "model_config = SettingsConfigDict(env_file='.env')",
    ] {
        assert!(loads(text), "{text}");
    }
    for text in ["x = os.getenv('DOTENV')", "env_file = None", "# see the dotenv manual"] {
        assert!(!loads(text), "{text}");
    }
}

#[test]
fn neighbours_in_other_languages() {
    for (path, text) in [
        ("a.js", "// const x = process.env.DB_URL || 'd'"),
        ("a.js", "/* process.env.DB_URL || 'd' */"),
        ("a.sh", "# URL=${DB_URL:-d}"),
        ("a.rb", "# ENV.fetch('DB_URL', 'd')"),
        ("a.js", "translate('DB_URL', 'd')"),
        ("a.go", "viper.SetDefault(\"db_url\", \"d\")\n"),
        ("README.md", "process.env.DB_URL || 'd'"),
        ("Dockerfile", "# ENV DB_URL=d\nFROM a\n"),
        ("Dockerfile", "FROM a AS build\nENV DB_URL=d\nFROM b\n"),
    ] {
        assert_eq!(defaults(path, text), [], "{path}: {text}");
    }
    assert_eq!(one("a.js", "const x = process.env.DB_URL;\nconst y = 'd';"), None);
    assert_eq!(one("a.js", "if (!process.env.DB_URL) { throw new Error('d') }"), None);
    assert_eq!(one("a.sh", "x=${DB_URL:?must be set}"), None);
    assert_eq!(
        defaults("a.js", "if (process.env.NODE_ENV === 'development') {\n  x = process.env.DB_URL || 'd';\n}").len(),
        1
    );
    assert_eq!(defaults("a.sh", "if [ \"$MODE\" = dev ]; then\n  X=${DB_URL:-d}\nfi\n"), []);
}
