import { AWS_ACCOUNT } from '../aws-own';
import { Session } from '../session';
import { Place } from './place';
import { Registered, readRegistry } from './registry';

/** A role as it is. */
export interface RoleState {
  readonly name: string;
  readonly oid: string;
  readonly canLogin: boolean;
  readonly inherits: boolean;
  readonly connections: number;
  readonly expires: boolean;
  readonly mayCreateRoles: boolean;
  readonly mayCreateDatabases: boolean;
  readonly tooPowerful: boolean;
  readonly settings: string[];
  readonly settingsInDatabases: string[];
  /** Those that it has in others, and others in it; the master user is a member only where a run died. */
  readonly memberships: Membership[];
}

/** That one role is in another. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly grantor: string;
  /** Whether the master user can end it: from PostgreSQL 16 on, only who granted it can. */
  readonly mine: boolean;
}

/** A database as it is. */
export interface DatabaseState {
  readonly name: string;
  readonly oid: string;
  readonly owner: string;
  /** Whether the master user may do what the owner may. */
  readonly mine: boolean;
  readonly open: boolean;
  readonly connections: number;
  /** Whether it cannot be dropped. */
  readonly template: boolean;
  /** Whether its owner has every right on it that an owner has from the start, CONNECT among them. */
  readonly ownerHasAll: boolean;
  /** Settings for whoever enters, without those that only a superuser can reset. */
  readonly settings: string[];
  /** `role=privilege` of each but the owner. */
  readonly acl: string[];
}

/** What a server has of one tenant. */
export interface TenantState {
  readonly owner?: RoleState;
  readonly reader?: RoleState;
  readonly loader?: RoleState;
  readonly database?: DatabaseState;
  /** Owner of its Superset's metadata. */
  readonly metadataOwner?: RoleState;
  readonly metadataDatabase?: DatabaseState;
  readonly registered?: Registered;
}

/** What a server has of each tenant; few questions for all of them. */
export async function readStates(master: Session, places: Place[]): Promise<Map<string, TenantState>> {
  const roles = byName(
    await readRoles(
      master,
      places.flatMap(({ owner, reader, loader, metadata }) => [owner, reader, loader, metadata.owner]),
    ),
  );
  const databases = byName(
    await readDatabases(
      master,
      places.flatMap(({ database, metadata }) => [database, metadata.database]),
    ),
  );
  const registered = new Map((await readRegistry(master)).map((entry) => [entry.id, entry]));
  return new Map(
    places.map((place) => [
      place.id,
      {
        owner: roles.get(place.owner),
        reader: roles.get(place.reader),
        loader: roles.get(place.loader),
        database: databases.get(place.database),
        metadataOwner: roles.get(place.metadata.owner),
        metadataDatabase: databases.get(place.metadata.database),
        registered: registered.get(place.id),
      },
    ]),
  );
}

function byName<Named extends { readonly name: string }>(list: Named[]): Map<string, Named> {
  return new Map(list.map((entry) => [entry.name, entry]));
}

async function readRoles(master: Session, names: string[]): Promise<RoleState[]> {
  return master.rows<RoleState>(
    `SELECT r.rolname::text AS name, r.oid::text AS oid, r.rolcanlogin AS "canLogin", r.rolinherit AS inherits,
            r.rolconnlimit AS connections, coalesce(r.rolvaliduntil < 'infinity', false) AS expires,
            r.rolcreaterole AS "mayCreateRoles", r.rolcreatedb AS "mayCreateDatabases",
            r.rolsuper OR r.rolreplication OR r.rolbypassrls AS "tooPowerful",
            coalesce((SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings,
            ARRAY(SELECT d.datname::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                   WHERE s.setrole = r.oid ORDER BY 1) AS "settingsInDatabases",
            coalesce((SELECT json_agg(json_build_object('role', g.rolname, 'member', p.rolname, 'grantor', b.rolname,
                                     'mine', b.rolname = current_user OR current_setting('server_version_num')::int < 160000)
                                     ORDER BY g.rolname, p.rolname)
                        FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles p ON p.oid = m.member
                        LEFT JOIN pg_roles b ON b.oid = m.grantor
                       WHERE m.member = r.oid
                          OR m.roleid = r.oid AND NOT p.rolsuper AND p.rolname !~ $2 AND (p.rolname <> current_user OR m.grantor = m.member)),
                     '[]') AS memberships
       FROM pg_roles r WHERE r.rolname = ANY ($1)`,
    [names, AWS_ACCOUNT],
  );
}

async function readDatabases(master: Session, names: string[]): Promise<DatabaseState[]> {
  return master.rows<DatabaseState>(
    `SELECT d.datname::text AS name, d.oid::text AS oid, pg_get_userbyid(d.datdba)::text AS owner,
            pg_has_role(d.datdba, 'USAGE') AS mine, d.datallowconn AS open, d.datconnlimit AS connections,
            d.datistemplate AS template,
            (SELECT count(*) = 3 FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
              WHERE a.grantee = d.datdba) AS "ownerHasAll",
            ARRAY(SELECT line FROM pg_db_role_setting s, unnest(s.setconfig) AS line
                    LEFT JOIN pg_settings p ON p.name = split_part(line, '=', 1)
                   WHERE s.setdatabase = d.oid AND s.setrole = 0
                     AND (p.context IN ('superuser', 'superuser-backend')) IS NOT TRUE ORDER BY 1) AS settings,
            ARRAY(SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END || '=' || a.privilege_type
                    FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                   WHERE a.grantee <> d.datdba ORDER BY 1) AS acl
       FROM pg_database d WHERE d.datname = ANY ($1)`,
    [names],
  );
}
