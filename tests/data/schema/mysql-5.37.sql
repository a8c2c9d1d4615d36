-- The tables that loadposts and the bulk load into the database write to, as a server 5.37 has them in MySQL.

CREATE TABLE Teams (
    Id varchar(26) NOT NULL,
    CreateAt bigint DEFAULT NULL,
    UpdateAt bigint DEFAULT NULL,
    DeleteAt bigint DEFAULT NULL,
    DisplayName varchar(64) DEFAULT NULL,
    Name varchar(64) DEFAULT NULL,
    Description varchar(255) DEFAULT NULL,
    Email varchar(128) DEFAULT NULL,
    Type varchar(255) DEFAULT NULL,
    CompanyName varchar(64) DEFAULT NULL,
    AllowedDomains text,
    InviteId varchar(32) DEFAULT NULL,
    SchemeId varchar(26) DEFAULT NULL,
    AllowOpenInvite tinyint(1) DEFAULT NULL,
    LastTeamIconUpdate bigint DEFAULT NULL,
    GroupConstrained tinyint(1) DEFAULT NULL,
    PRIMARY KEY (Id),
    UNIQUE KEY (Name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Users (
    Id varchar(26) NOT NULL,
    CreateAt bigint DEFAULT NULL,
    UpdateAt bigint DEFAULT NULL,
    DeleteAt bigint DEFAULT NULL,
    Username varchar(64) DEFAULT NULL,
    Password varchar(128) DEFAULT NULL,
    AuthData varchar(128) DEFAULT NULL,
    AuthService varchar(32) DEFAULT NULL,
    Email varchar(128) DEFAULT NULL,
    EmailVerified tinyint(1) DEFAULT NULL,
    Nickname varchar(64) DEFAULT NULL,
    FirstName varchar(64) DEFAULT NULL,
    LastName varchar(64) DEFAULT NULL,
    Position varchar(128) DEFAULT NULL,
    Roles varchar(256) DEFAULT NULL,
    AllowMarketing tinyint(1) DEFAULT NULL,
    Props text,
    NotifyProps text,
    LastPasswordUpdate bigint DEFAULT NULL,
    LastPictureUpdate bigint DEFAULT NULL,
    FailedAttempts integer DEFAULT NULL,
    Locale varchar(5) DEFAULT NULL,
    Timezone varchar(256) DEFAULT NULL,
    MfaActive tinyint(1) DEFAULT NULL,
    MfaSecret varchar(128) DEFAULT NULL,
    RemoteId varchar(26) DEFAULT NULL,
    PRIMARY KEY (Id),
    UNIQUE KEY (Username),
    UNIQUE KEY (Email),
    UNIQUE KEY (AuthData)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Channels (
    Id varchar(26) NOT NULL,
    CreateAt bigint DEFAULT NULL,
    UpdateAt bigint DEFAULT NULL,
    DeleteAt bigint DEFAULT NULL,
    TeamId varchar(26) DEFAULT NULL,
    Type varchar(1) DEFAULT NULL,
    DisplayName varchar(64) DEFAULT NULL,
    Name varchar(64) DEFAULT NULL,
    Header text,
    Purpose varchar(250) DEFAULT NULL,
    LastPostAt bigint DEFAULT NULL,
    TotalMsgCount bigint DEFAULT NULL,
    ExtraUpdateAt bigint DEFAULT NULL,
    CreatorId varchar(26) DEFAULT NULL,
    SchemeId varchar(26) DEFAULT NULL,
    GroupConstrained tinyint(1) DEFAULT NULL,
    Shared tinyint(1) DEFAULT NULL,
    TotalMsgCountRoot bigint DEFAULT NULL,
    PRIMARY KEY (Id),
    UNIQUE KEY (Name, TeamId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE TeamMembers (
    TeamId varchar(26) NOT NULL,
    UserId varchar(26) NOT NULL,
    Roles varchar(64) DEFAULT NULL,
    DeleteAt bigint DEFAULT NULL,
    SchemeUser tinyint(1) DEFAULT NULL,
    SchemeAdmin tinyint(1) DEFAULT NULL,
    SchemeGuest tinyint(1) DEFAULT NULL,
    PRIMARY KEY (TeamId, UserId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ChannelMembers (
    ChannelId varchar(26) NOT NULL,
    UserId varchar(26) NOT NULL,
    Roles varchar(64) DEFAULT NULL,
    LastViewedAt bigint DEFAULT NULL,
    MsgCount bigint DEFAULT NULL,
    MentionCount bigint DEFAULT NULL,
    NotifyProps text,
    LastUpdateAt bigint DEFAULT NULL,
    SchemeUser tinyint(1) DEFAULT NULL,
    SchemeAdmin tinyint(1) DEFAULT NULL,
    SchemeGuest tinyint(1) DEFAULT NULL,
    MentionCountRoot bigint DEFAULT NULL,
    MsgCountRoot bigint DEFAULT NULL,
    PRIMARY KEY (ChannelId, UserId),
    KEY idx_channelmembers_user_id (UserId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Posts (
    Id varchar(26) NOT NULL,
    CreateAt bigint DEFAULT NULL,
    UpdateAt bigint DEFAULT NULL,
    EditAt bigint DEFAULT NULL,
    DeleteAt bigint DEFAULT NULL,
    IsPinned tinyint(1) DEFAULT NULL,
    UserId varchar(26) DEFAULT NULL,
    ChannelId varchar(26) DEFAULT NULL,
    RootId varchar(26) DEFAULT NULL,
    ParentId varchar(26) DEFAULT NULL,
    OriginalId varchar(26) DEFAULT NULL,
    Message text,
    Type varchar(26) DEFAULT NULL,
    Props text,
    Hashtags text,
    Filenames text,
    FileIds varchar(300) DEFAULT NULL,
    HasReactions tinyint(1) DEFAULT NULL,
    RemoteId varchar(26) DEFAULT NULL,
    PRIMARY KEY (Id),
    KEY idx_posts_channel_id_delete_at_create_at (ChannelId, DeleteAt, CreateAt),
    KEY idx_posts_root_id (RootId),
    FULLTEXT KEY idx_posts_message_txt (Message)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Threads (
    PostId varchar(26) NOT NULL,
    ChannelId varchar(26) DEFAULT NULL,
    ReplyCount bigint DEFAULT NULL,
    LastReplyAt bigint DEFAULT NULL,
    Participants longtext,
    PRIMARY KEY (PostId),
    KEY idx_threads_channel_id (ChannelId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ThreadMemberships (
    PostId varchar(26) NOT NULL,
    UserId varchar(26) NOT NULL,
    Following tinyint(1) DEFAULT NULL,
    LastViewed bigint DEFAULT NULL,
    LastUpdated bigint DEFAULT NULL,
    UnreadMentions bigint DEFAULT NULL,
    PRIMARY KEY (PostId, UserId)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Preferences (
    UserId varchar(26) NOT NULL,
    Category varchar(32) NOT NULL,
    Name varchar(32) NOT NULL,
    Value text,
    PRIMARY KEY (UserId, Category, Name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE Sessions (
    Id varchar(26) NOT NULL,
    Token varchar(26) DEFAULT NULL,
    CreateAt bigint DEFAULT NULL,
    ExpiresAt bigint DEFAULT NULL,
    LastActivityAt bigint DEFAULT NULL,
    UserId varchar(26) DEFAULT NULL,
    DeviceId varchar(512) DEFAULT NULL,
    Roles varchar(64) DEFAULT NULL,
    IsOAuth tinyint(1) DEFAULT NULL,
    ExpiredNotify tinyint(1) DEFAULT NULL,
    Props text,
    PRIMARY KEY (Id),
    KEY idx_sessions_token (Token)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
