use std::collections::BTreeMap;

use super::*;

const DATA: &str = "/opt/shop/.data/pg";

fn effects(text: &str) -> Effects {
    let env = BTreeMap::from([("HOME".to_owned(), "/home/dev".to_owned())]);
    of_command(text, "/opt/shop", &env)
}

#[test]
fn what_destroys_a_path_is_seen() {
    for text in [
        "rm -rf .data",
        "rm -r /opt/shop/.data/pg/",
        "sudo rm -rf /opt/shop",
        "rm -rf /opt/*",
        "rm -rf .[!.]*",
        "rm -rf /opt/shop/{logs,.data}",
        "cd /opt && rm -fr shop",
        "rm -rf .data/*",
        "rm .data/pg/PG_VERSION",
        "find .data -delete",
        "find . -mindepth 1 -delete",
        "find /opt/shop -type f -delete",
        "find . -maxdepth 1 -name '.d*' -exec rm -rf {} +",
        "find . -path './.data/*' -delete",
        "find . ! -name keep -delete",
        "find . -name pg -type d | xargs rm -rf",
        "find .data -mtime +30 -type f -print0 | xargs -0 rm",
        "ls -d .data/* | xargs rm -rf",
        "mv .data /tmp/old",
        "shred -u .data/pg/base/1",
        "truncate -s 0 .data/pg/global/pg_control",
        "> .data/pg/global/pg_control",
        ": > .data/pg/global/pg_control",
        "dd if=/dev/zero of=.data/pg/x",
        "cp /dev/null .data/pg/x",
        "rsync -a --delete /srv/src/ /opt/shop/",
        "rsync -a --del --exclude=data --exclude='docker-data' /srv/src/ ./",
        "cd /srv/src && sudo rsync -av --delete-after ./ /opt/shop",
        "O=(-a --delete --exclude=.git); rsync \"${O[@]}\" /srv/src/ /opt/shop/",
        "rsync -a --delete --delete-excluded --exclude=.data /srv/src/ /opt/shop/",
        "rsync -a --delete /srv/empty/ .data/pg/",
        "rsync -a --delete --backup --backup-dir=/old /srv/src/ /opt/shop/",
        "git clean -fdx",
        "git -C /opt/shop clean -xdff",
        "for d in logs .data; do rm -rf \"/opt/shop/$d\"; done",
    ] {
        assert!(effects(text).destroys(DATA).is_some(), "{text} {:#?}", effects(text).planned);
    }
}

#[test]
fn what_leaves_a_path_alone_is_silent() {
    for text in [
        "rm -rf build node_modules",
        "rm -rf /opt/shop/*",
        "rm -f /opt/shop",
        "rm -rf /opt/shop2 /opt/shop/.data-old",
        "rmdir .data",
        "ls .data; du -sh .data; cat .data/pg/PG_VERSION",
        "find . -name '*.pyc' -delete",
        "find . -name node_modules -type d -prune -exec rm -rf {} +",
        "find . -path ./.data -prune -o -type f -exec rm {} +",
        "find . -maxdepth 1 -type f -name '*.log' -delete",
        "find . -empty -delete",
        "find .data -print",
        "rsync -an --delete /srv/src/ /opt/shop/",
        "rsync -a --delete --dry-run /srv/src/ /opt/shop/",
        "rsync -a /srv/src/ /opt/shop/",
        "rsync -a --delete --exclude='/.data/' /srv/src/ /opt/shop/",
        "rsync -a --delete --exclude={.git,.data} /srv/src/ /opt/shop/",
        "rsync -a --delete --filter='P .data/' /srv/src/ /opt/shop/",
        "rsync -a --delete dist/ /opt/shop/public/",
        "rsync -a --delete /opt/shop/ /backup/shop/",
        "rsync -a --delete /srv/src /opt/shop/",
        "git clean -nfdx",
        "git clean -fd",
        "git clean -fdx -e .data",
        "echo rm -rf .data",
        "mv build /tmp",
        "ssh other 'rm -rf /opt/shop/.data'",
        "cp -a .data /backup/",
        "touch .data/pg/x; echo x >> .data/pg/y",
    ] {
        assert!(effects(text).destroys(DATA).is_none(), "{text} {:#?}", effects(text).planned);
    }
}

#[test]
fn containers_are_named() {
    for text in [
        "docker restart api",
        "docker container restart -t 5 api",
        "sudo docker stop api && sudo docker start api",
        "docker compose restart api",
        "docker compose -f /opt/shop/compose.yml restart",
        "docker-compose restart",
        "podman restart api",
        "docker restart $(docker ps -q)",
        "docker restart $(docker ps -qf name=api)",
        "docker ps -q | xargs docker restart",
        "systemctl restart docker",
        "for c in db api; do docker restart $c; done",
    ] {
        assert!(effects(text).restarts(&["api"]).is_some(), "{text} {:#?}", effects(text).planned);
    }
    for text in [
        "docker restart web",
        "docker logs api",
        "docker compose up -d api",
        "docker stop api",
        "systemctl restart nginx",
    ] {
        assert!(effects(text).restarts(&["api"]).is_none(), "{text}");
    }
    assert!(effects("docker compose --env-file a.env up -d --force-recreate api").recreates(&["api"]).is_some());
    assert!(effects("docker compose down -v").removes_volume("shop_pg").is_some());
    assert!(effects("docker compose down").removes_volume("shop_pg").is_none());
    assert!(effects("docker volume rm -f shop_pg").removes_volume("shop_pg").is_some());
    assert!(effects("docker run -d --name api -p 80:80 shop/api:1").runs(&["api"]).is_some());
    assert!(effects("docker run -d --restart always shop/api:1").runs(&["shop/api:2"]).is_some());
    assert!(effects("docker run --rm -it postgres:16 bash").runs(&["api"]).is_none());
}

#[test]
fn edits_of_files_are_seen() {
    for text in [
        "sed -i s/a/b/ app.env",
        "echo A=1 >> app.env",
        "cat > app.env <<E\nA=1\nE",
        "tee app.env < x",
        "cp new.env app.env",
        "mv new.env app.env",
    ] {
        assert!(effects(text).writes("/opt/shop/app.env"), "{text}");
    }
    assert!(!effects("cat app.env; grep A app.env").writes("/opt/shop/app.env"));
}
