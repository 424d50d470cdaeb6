//! Requests against Discord's official OpenAPI document, where `DISCORD_OPENAPI` names it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

/// The document, relaxed where the live API is known to be more lenient: ids may be numbers, permissions may be
/// strings of digits; formats (`uri`, `date-time`) are checked by [`super::limits`] where they matter.
pub(crate) struct Spec {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What is wrong, and where in the request.
pub(crate) type Fault = (Vec<String>, String);

impl Spec {
    /// Reads the document once per run of the tests.
    pub(crate) fn from_environment() -> Option<&'static Self> {
        static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
        let load = || {
            let Some(path) = std::env::var_os("DISCORD_OPENAPI").filter(|path| !path.is_empty()) else {
                eprintln!(
                    "DISCORD_OPENAPI is not set: requests are not checked against Discord's specification"
                );
                return None;
            };
            let bytes = std::fs::read(&path)
                .unwrap_or_else(|why| panic!("DISCORD_OPENAPI {}: {why}", path.display()));
            Some(Self::new(serde_json::from_slice(&bytes).unwrap()))
        };
        SPEC.get_or_init(load).as_ref()
    }

    pub(crate) fn new(mut document: Value) -> Self {
        let mut schemas = document["components"]["schemas"].take();
        schemas["SnowflakeType"] = json!({"anyOf": [{"type": "string", "pattern": "^(0|[1-9][0-9]*)$"},
            {"type": "integer", "minimum": 0}]});
        relax(&mut schemas);
        let Value::Object(schemas) = schemas else { panic!("no schemas") };
        let Value::Object(paths) = document["paths"].take() else { panic!("no paths") };
        Self { paths, schemas, validators: Mutex::default() }
    }

    /// What is wrong with a request; `path` without `/api/v10`.
    pub(crate) fn check(
        &self,
        method: &str,
        path: &str,
        query: &[(String, String)],
        body: Option<&Value>,
        form: bool,
    ) -> Vec<Fault> {
        let at = |text: &str| vec![(Vec::new(), text.to_owned())];
        let Some((template, item)) = self.find(path) else { return at("a path that Discord does not have") };
        let operation = &item[method.to_ascii_lowercase()];
        if operation.is_null() {
            return at("a method that Discord does not have there");
        }
        let mut faults = Vec::new();
        for about in
            [&item["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array).flatten()
        {
            let name = about["name"].as_str().unwrap_or_default();
            let schema = &about["schema"];
            if about["in"] != "query" {
                continue;
            }
            let Some((_, given)) = query.iter().find(|(key, _)| key == name) else { continue };
            let value = match schema["type"].as_str() {
                Some("integer") => given.parse::<u64>().map_or(json!(given), |number| json!(number)),
                Some("boolean") => given.parse::<bool>().map_or(json!(given), |truth| json!(truth)),
                Some("array") => continue,
                _ => json!(given),
            };
            let key = format!("{method} {template} ?{name}");
            faults.extend(
                self.judge(&key, schema, &value).into_iter().map(|(_, why)| (vec![name.to_owned()], why)),
            );
        }
        let wanted = &operation["requestBody"];
        let content = &wanted["content"];
        match body {
            None if wanted["required"] == true => faults.push((Vec::new(), "a body is required".to_owned())),
            None => {}
            Some(_) if wanted.is_null() => {}
            Some(body) => {
                if form && content["multipart/form-data"].is_null() {
                    faults.push((Vec::new(), "files cannot be uploaded there".to_owned()));
                }
                let schema = &content["application/json"]["schema"];
                if !schema.is_null() {
                    faults.extend(self.judge(&format!("{method} {template}"), schema, body));
                }
            }
        }
        faults
    }

    /// The path of the document that a request's path fits; one with fewer blanks is preferred.
    fn find(&self, path: &str) -> Option<(&String, &Value)> {
        let wanted: Vec<&str> = path.split('/').collect();
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            parts.len() == wanted.len()
                && parts.iter().zip(&wanted).all(|(part, have)| part.starts_with('{') || part == have)
        };
        self.paths
            .iter()
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count())
    }

    fn judge(&self, key: &str, schema: &Value, instance: &Value) -> Vec<Fault> {
        let known = self.validators.lock().unwrap().get(key).cloned();
        let validator = known.unwrap_or_else(|| {
            let mut needed = BTreeMap::new();
            self.collect(schema, &mut needed);
            let mut schema = schema.clone();
            relax(&mut schema);
            let whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema],
                "components": {"schemas": needed}});
            let built = jsonschema::options().should_validate_formats(false).build(&whole);
            let built = Arc::new(built.unwrap_or_else(|why| panic!("{key}: {why}")));
            self.validators.lock().unwrap().insert(key.to_owned(), Arc::clone(&built));
            built
        });
        if validator.is_valid(instance) {
            return Vec::new();
        }
        let mut faults: Vec<Fault> =
            validator.iter_errors(instance).flat_map(|error| explain(&error)).collect();
        faults.dedup();
        faults
    }

    /// The schemas that a schema refers to, directly or not.
    fn collect(&self, schema: &Value, into: &mut BTreeMap<String, Value>) {
        if let Some(name) =
            schema["$ref"].as_str().and_then(|link| link.strip_prefix("#/components/schemas/"))
            && !into.contains_key(name)
        {
            let found = self.schemas.get(name).unwrap_or_else(|| panic!("no schema {name}"));
            into.insert(name.to_owned(), found.clone());
            self.collect(found, into);
        }
        if let Some(fields) = schema.as_object() {
            fields.values().for_each(|inner| self.collect(inner, into));
        }
        schema.as_array().into_iter().flatten().for_each(|inner| self.collect(inner, into));
    }
}

/// Permissions may be strings of digits, wherever they stand.
fn relax(node: &mut Value) {
    if let Some(list) = node.as_array_mut() {
        list.iter_mut().for_each(relax);
    }
    let Some(fields) = node.as_object_mut() else { return };
    fields.remove("x-discord-union");
    for (name, inner) in fields.iter_mut() {
        let bits = matches!(name.as_str(), "default_member_permissions" | "allow" | "deny" | "permissions");
        let whole = inner["type"] == "integer"
            || inner["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("integer")));
        if bits && whole {
            *inner = json!({"anyOf": [inner, {"type": "string", "pattern": "^[0-9]+$"}]});
        } else {
            relax(inner);
        }
    }
}

/// The faults in words. Of several alternatives the one that was most likely meant is explained: not one whose
/// `type` is another or that is `null`.
fn explain(error: &ValidationError<'_>) -> Vec<Fault> {
    let place: Vec<String> =
        error.instance_path().to_string().split('/').skip(1).map(ToOwned::to_owned).collect();
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return vec![(place, error.to_string().chars().take(300).collect())];
    };
    let cost = |faults: &[Fault]| -> usize {
        let one = |(path, why): &Fault| match path.last() {
            _ if path.len() == place.len() && why.contains("is not of type \"null\"") => 1_000,
            Some(last) if last == "type" && path.len() > place.len() => 100,
            _ => 1,
        };
        faults.iter().map(one).sum()
    };
    let branches = context.iter().map(|branch| branch.iter().flat_map(explain).collect::<Vec<_>>());
    branches
        .min_by_key(|branch| cost(branch))
        .filter(|branch| !branch.is_empty())
        .unwrap_or_else(|| vec![(place, error.to_string())])
}
