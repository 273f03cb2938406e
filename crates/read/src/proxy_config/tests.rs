use std::collections::BTreeMap;

use coroner_model::{ContentHash, Document, Redactor};

use super::*;

fn upstreams(path: &str, text: &str) -> Vec<(String, String, Option<u16>, String)> {
    let document = Document {
        path: path.to_owned(),
        observed_at: None,
        host: String::new(),
        text: Redactor::new([3; 32]).redact(text),
        hash: ContentHash::sha256(text.as_bytes()),
        bytes_left_out: 0,
        first_line: 1,
    };
    read(&document).into_iter().map(|u| (u.route, u.host, u.port, u.at.locator)).collect()
}

fn row(route: &str, host: &str, port: u16, at: &str) -> (String, String, Option<u16>, String) {
    (route.to_owned(), host.to_owned(), Some(port), at.to_owned())
}

#[test]
fn nginx_through_groups_and_variables() {
    let text = "upstream app {\n  # server old:1;\n  server web:9000 max_fails=1;\n}\nserver {\n  server_name shop.example;\n  location /api/ { proxy_pass http://app/; }\n  location / {\n    set $front http://front:3000;\n    proxy_pass $front;\n  }\n  location ~ \\.php$ { fastcgi_pass php:9001; }\n}\n";
    assert_eq!(
        upstreams("files/etc/nginx/conf.d/a.conf", text),
        [
            row("shop.example/api/", "web", 9000, "files/etc/nginx/conf.d/a.conf:3"),
            row("shop.example/", "front", 3000, "files/etc/nginx/conf.d/a.conf:10"),
            row("shop.example\\.php$", "php", 9001, "files/etc/nginx/conf.d/a.conf:12"),
        ]
    );
}

#[test]
fn caddy_with_matchers_and_blocks() {
    let text = "{\n  email a@b.c\n}\nshop.example {\n  reverse_proxy /api/* api:8080\n  reverse_proxy {\n    to web:3000 # main\n  }\n}\n";
    assert_eq!(
        upstreams("files/Caddyfile", text),
        [row("shop.example", "api", 8080, "files/Caddyfile:5"), row("shop.example", "web", 3000, "files/Caddyfile:7")]
    );
}

#[test]
fn traefik_files_in_both_syntaxes() {
    let yaml = "http:\n  routers:\n    r: {rule: 'Host(`a.example`)', service: s}\n  services:\n    s:\n      loadBalancer:\n        servers:\n          - url: http://api:8000\n";
    assert_eq!(upstreams("files/d/dynamic.yml", yaml), [row("a.example", "api", 8000, "files/d/dynamic.yml:8")]);
    let toml = "[http.routers.r]\nrule = \"Host(`a.example`)\"\nservice = \"s\"\n[[http.services.s.loadBalancer.servers]]\nurl = \"http://api:8000\"\n";
    assert_eq!(upstreams("files/d/dynamic.toml", toml), [row("a.example", "api", 8000, "files/d/dynamic.toml:5")]);
    assert_eq!(upstreams("files/x.yml", "services: {}\n"), []);
}

#[test]
fn labels_ask_for_routes() {
    let labels: BTreeMap<String, String> = [
        ("traefik.enable", "true"),
        ("traefik.http.routers.x.rule", "Host(`a.example`, `b.example`) && PathPrefix(`/x`)"),
        ("traefik.http.services.x.loadbalancer.server.port", "8080"),
        ("traefik.docker.network", "edge"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    let routes = of_labels(&labels, &|_| None);
    assert_eq!((routes[0].port, routes[0].network.as_deref()), (Some(8080), Some("edge")));
    assert_eq!(routes[0].hosts, ["a.example", "b.example"]);
    assert_eq!(of_labels(&BTreeMap::new(), &|n| (n == VIRTUAL_HOST).then_some("x.example"))[0].kind, Kind::NginxProxy);
    assert!(of_labels(&BTreeMap::new(), &|_| None).is_empty());
    assert_eq!(Kind::of_image("docker.io/library/traefik:v3"), Some(Kind::Traefik));
    assert_eq!(Kind::of_image("nginxproxy/nginx-proxy"), Some(Kind::NginxProxy));
    assert_eq!(Kind::of_image("myapp/api:nginx"), None);
    let text = "mkdir -p /run/x && exec /usr/sbin/nginx -g 'daemon off;'";
    assert_eq!(Kind::of("own/base:1", ["sh", "-c", text]), Some(Kind::Nginx));
    assert_eq!(Kind::of("own/base:1", ["sh", "-c", "cat nginx.conf; exec app"]), None);
}

#[test]
fn haproxy_by_sections_and_conditions() {
    let text = "global\n  maxconn 9\nfrontend fe\n  bind *:80\n  acl is_shop hdr(host) -i shop.example www.shop.example\n  use_backend shop if is_shop\n  use_backend api if { hdr(host) -i api.example }\nbackend shop\n  server s1 web:3000 check # main\nbackend api\n  server a1 10.0.0.7:8080\n  # server old gone:1\n";
    assert_eq!(
        upstreams("files/etc/haproxy/haproxy.cfg", text),
        [
            row("shop.example, www.shop.example", "web", 3000, "files/etc/haproxy/haproxy.cfg:9"),
            row("api.example", "10.0.0.7", 8080, "files/etc/haproxy/haproxy.cfg:11"),
        ]
    );
}

#[test]
fn a_static_file_tells_of_the_engines_containers() {
    let provider = |path: &str, text: &str| {
        let document = Document {
            path: path.to_owned(),
            observed_at: None,
            host: String::new(),
            text: Redactor::new([3; 32]).redact(text),
            hash: ContentHash::sha256(text.as_bytes()),
            bytes_left_out: 0,
            first_line: 1,
        };
        docker_provider(&document)
    };
    let yaml = "providers:\n  docker:\n    exposedByDefault: false\n    network: edge\n";
    let told = provider("files/traefik.yml", yaml).unwrap();
    assert_eq!((told.exposed_by_default, told.network.as_deref()), (Some(false), Some("edge")));
    assert_eq!(told.at.map(|a| a.locator).as_deref(), Some("files/traefik.yml:4"));
    let toml = "[providers.docker]\nexposedByDefault = false\n";
    assert_eq!(provider("files/traefik.toml", toml).unwrap().exposed_by_default, Some(false));
    assert_eq!(provider("files/traefik.yml", "providers:\n  docker: {}\n").unwrap().exposed_by_default, None);
    assert_eq!(provider("files/dynamic.yml", "http: {}\n"), None);
}
