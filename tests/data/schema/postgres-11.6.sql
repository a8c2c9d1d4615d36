-- The tables that loadposts and the bulk load into the database write to, as a server 11.6 has them in PostgreSQL.

CREATE TYPE channel_type AS ENUM ('P', 'G', 'O', 'D');
CREATE TYPE team_type AS ENUM ('I', 'O');

CREATE TABLE teams (
    id varchar(26) NOT NULL,
    createat bigint,
    updateat bigint,
    deleteat bigint,
    displayname varchar(64),
    name varchar(64),
    description varchar(255),
    email varchar(128),
    type team_type,
    companyname varchar(64),
    alloweddomains varchar(1000),
    inviteid varchar(32),
    schemeid varchar(26),
    allowopeninvite boolean,
    lastteamiconupdate bigint,
    groupconstrained boolean,
    cloudlimitsarchived boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id),
    UNIQUE (name)
);

CREATE TABLE users (
    id varchar(26) NOT NULL,
    createat bigint,
    updateat bigint,
    deleteat bigint,
    username varchar(64),
    password varchar(128),
    authdata varchar(128),
    authservice varchar(32),
    email varchar(128),
    emailverified boolean,
    nickname varchar(64),
    firstname varchar(64),
    lastname varchar(64),
    roles varchar(256),
    allowmarketing boolean,
    props jsonb,
    notifyprops jsonb,
    lastpasswordupdate bigint,
    lastpictureupdate bigint,
    failedattempts integer,
    locale varchar(5),
    mfaactive boolean,
    mfasecret varchar(128),
    position varchar(128),
    timezone jsonb,
    remoteid varchar(26),
    lastlogin bigint NOT NULL DEFAULT 0,
    mfausedtimestamps jsonb,
    PRIMARY KEY (id),
    UNIQUE (username),
    UNIQUE (email),
    UNIQUE (authdata)
);

CREATE TABLE channels (
    id varchar(26) NOT NULL,
    createat bigint,
    updateat bigint,
    deleteat bigint,
    teamid varchar(26),
    type channel_type,
    displayname varchar(64),
    name varchar(64),
    header varchar(1024),
    purpose varchar(250),
    lastpostat bigint,
    totalmsgcount bigint,
    extraupdateat bigint,
    creatorid varchar(26),
    schemeid varchar(26),
    groupconstrained boolean,
    shared boolean,
    totalmsgcountroot bigint,
    lastrootpostat bigint DEFAULT 0,
    bannerinfo jsonb,
    defaultcategoryname varchar(64) NOT NULL DEFAULT '',
    autotranslation boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id),
    UNIQUE (name, teamid)
);

CREATE TABLE teammembers (
    teamid varchar(26) NOT NULL,
    userid varchar(26) NOT NULL,
    roles varchar(256),
    deleteat bigint,
    schemeuser boolean,
    schemeadmin boolean,
    schemeguest boolean,
    createat bigint DEFAULT 0,
    PRIMARY KEY (teamid, userid)
);

CREATE TABLE channelmembers (
    channelid varchar(26) NOT NULL,
    userid varchar(26) NOT NULL,
    roles varchar(256),
    lastviewedat bigint,
    msgcount bigint,
    mentioncount bigint,
    notifyprops jsonb,
    lastupdateat bigint,
    schemeuser boolean,
    schemeadmin boolean,
    schemeguest boolean,
    mentioncountroot bigint,
    msgcountroot bigint,
    urgentmentioncount bigint,
    autotranslation boolean NOT NULL DEFAULT false,
    autotranslationdisabled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (channelid, userid)
);

CREATE INDEX idx_channelmembers_user_id ON channelmembers (userid);

CREATE TABLE posts (
    id varchar(26) NOT NULL,
    createat bigint,
    updateat bigint,
    deleteat bigint,
    userid varchar(26),
    channelid varchar(26),
    rootid varchar(26),
    originalid varchar(26),
    message varchar(65535),
    type varchar(26),
    props jsonb,
    hashtags varchar(1000),
    filenames varchar(4000),
    fileids varchar(300),
    hasreactions boolean,
    editat bigint,
    ispinned boolean,
    remoteid varchar(26),
    PRIMARY KEY (id)
);

CREATE INDEX idx_posts_channel_id_delete_at_create_at ON posts (channelid, deleteat, createat);

CREATE INDEX idx_posts_root_id ON posts (rootid);

CREATE TABLE threads (
    postid varchar(26) NOT NULL,
    replycount bigint,
    lastreplyat bigint,
    participants jsonb,
    channelid varchar(26),
    threaddeleteat bigint,
    threadteamid varchar(26),
    PRIMARY KEY (postid)
);

CREATE INDEX idx_threads_channel_id ON threads (channelid);

CREATE TABLE threadmemberships (
    postid varchar(26) NOT NULL,
    userid varchar(26) NOT NULL,
    following boolean,
    lastviewed bigint,
    lastupdated bigint,
    unreadmentions bigint,
    PRIMARY KEY (postid, userid)
);

CREATE TABLE preferences (
    userid varchar(26) NOT NULL,
    category varchar(32) NOT NULL,
    name varchar(32) NOT NULL,
    value text,
    PRIMARY KEY (userid, category, name)
);

CREATE TABLE sessions (
    id varchar(26) NOT NULL,
    token varchar(26),
    createat bigint,
    expiresat bigint,
    lastactivityat bigint,
    userid varchar(26),
    deviceid varchar(512),
    roles varchar(256),
    isoauth boolean,
    props jsonb,
    expirednotify boolean,
    PRIMARY KEY (id)
);

CREATE INDEX idx_sessions_token ON sessions (token);
